"""Backbones that mmseg lacks; every backbone of mmseg fits as well."""

from .vgg import VGG16

__all__ = ['VGG16']
