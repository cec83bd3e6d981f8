"""What the checks share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from oaa_mm.doctor.findings import Finding
from oaa_mm.doctor.probe import Probe
from oaa_mm.doctor.split import SplitData


class Reporter:
    """Collects the findings of one check of one split.

    Args:
        check (str): Name of the check.
        split (str): Name of the split, put in front of each message.
    """

    def __init__(self, check: str, split: str) -> None:
        self.check = check
        self.split = split
        self.findings: list[Finding] = []

    def add(
        self, severity: str, message: str, items: Iterable[str] = ()
    ) -> None:
        """Add a finding.

        Args:
            severity (str): One of
                :data:`~oaa_mm.doctor.findings.SEVERITIES`.
            message (str): One sentence.
            items (Iterable[str]): The files or ids concerned.
        """
        text = f'{self.split}: {message}'
        finding = Finding(severity, self.check, text, tuple(items))
        self.findings.append(finding)

    def add_if(
        self, severity: str, message: str, items: Iterable[str]
    ) -> None:
        """Add a finding if it concerns any item at all.

        Args:
            severity (str): As for :meth:`add`.
            message (str): One sentence; ``{n}`` becomes the number of items.
            items (Iterable[str]): The files or ids concerned.
        """
        items = tuple(items)
        if items:
            self.add(severity, message.format(n=len(items)), items)


def select(
    probes: Mapping[str, Probe],
    accept: Callable[[Probe], object],
    describe: Callable[[Probe], str] | None = None,
) -> list[str]:
    """Paths of the files that `accept`, with a description where given.

    Args:
        probes (Mapping[str, Probe]): Image id -> file.
        accept (Callable[[Probe], object]): Whether a file is concerned.
        describe (Callable[[Probe], str], optional): What to say of it.

    Returns:
        list[str]: ``'path'`` or ``'path (description)'``, in their order.
    """
    chosen = (probe for probe in probes.values() if accept(probe))
    if describe is None:
        return [str(probe.path) for probe in chosen]
    return [f'{probe.path} ({describe(probe)})' for probe in chosen]


def other_size(data: SplitData, probes: Mapping[str, Probe]) -> list[str]:
    """Readable files whose size is not that of their image.

    Args:
        data (SplitData): The split, for its images.
        probes (Mapping[str, Probe]): Image id -> mask or saliency map.

    Returns:
        list[str]: ``'path (32x48, image 33x48)'``, sizes as height x width.
    """
    items = []
    for image_id, probe in probes.items():
        image = data.images.get(image_id)
        if image is None or not (image.readable and probe.readable):
            continue
        if probe.size != image.size:
            sizes = '{}x{}, image {}x{}'.format(*probe.size, *image.size)
            items.append(f'{probe.path} ({sizes})')
    return items
