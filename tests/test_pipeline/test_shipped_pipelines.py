"""The pipelines in configs/: wired paths that agree with their configs."""

from pathlib import Path

import pytest
from toy import make_toy_voc

from oaa_mm.pipeline import load_pipeline
from oaa_mm.pipeline.run import dry_run
from oaa_mm.runs.config import read_config

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted((ROOT / 'configs/pipelines').glob('*.py'))
every_pipeline = pytest.mark.parametrize(
    'path', SHIPPED, ids=lambda path: path.stem
)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def stage_config(stage):
    """The config of a training or test, with the command line over it."""
    words = stage.commands[-1]
    cfg = read_config(words[3])
    options = words[words.index('--cfg-options') + 1 :]
    cfg.merge_from_dict(dict(option.split('=', 1) for option in options))
    return cfg


def stages_of(path):
    """All stages; OAA+ is trained, whether there are saliency maps or not."""
    options = {'labels_from': 'oaa_plus'}
    return load_pipeline(path, options=options).stages


@every_pipeline
def test_outputs_are_what_the_configs_make(path):
    """Epochs stand in the pipeline and in the configs."""
    for stage in stages_of(path):
        if stage.commands[0][:3] != ['-m', 'oaa_mm', 'train']:
            continue
        loop = stage_config(stage).train_cfg
        epochs, iters = loop.get('max_epochs'), loop.get('max_iters')
        last = f'epoch_{epochs}.pth' if epochs else f'iter_{iters}.pth'
        assert last in [output.name for output in stage.outputs]


@every_pipeline
def test_each_stage_reads_what_an_earlier_one_made(path):
    stages = {stage.name: stage for stage in stages_of(path)}
    made = {
        output for stage in stages.values() for output in stage.outputs
    } | {stages['labels'].folder / 'pseudo_labels'}

    def comes_from(value):
        return Path(value) in made

    target = stage_config(stages['oaa_plus']).train_dataloader.dataset
    assert comes_from(target.pipeline[0].store)
    assert target.pipeline[0].type == 'oaa_mm.LoadAttentionMaps'
    labels = stage_config(stages['segmentation']).train_dataloader.dataset
    assert comes_from(labels.pseudo_labels)
    for name in ('cam', 'maps', 'evaluation'):
        assert comes_from(stages[name].commands[-1][4])
    assert comes_from(stages['labels'].commands[0][3])
    for store in stages['evaluation'].commands[0][4:7]:
        assert comes_from(store)


@every_pipeline
def test_no_data_set_is_left_at_its_default_place(path):
    """A pipeline names its data once: `data`."""
    data = read_config(path, lazy_import=False).data
    for stage in stages_of(path):
        if '--cfg-options' not in stage.commands[-1]:
            continue
        cfg = stage_config(stage)
        for part in ('train', 'val', 'test'):
            dataset = cfg[f'{part}_dataloader'].dataset
            if 'pseudo_labels' not in dataset:  # which know their images
                assert dataset.data_root.startswith(data), (stage.name, part)


def test_saliency_maps_decide_which_maps_make_the_labels(tmp_path, capsys):
    config = tmp_path / 'pipeline.py'
    config.write_text(
        f'_base_ = [{str(ROOT / "configs/pipelines/oaa_plus_toy.py")!r}]\n'
        f'data = {str(tmp_path)!r}\n'
        'labels_from = None\n'
    )

    def labels(**options):
        pipeline = load_pipeline(config, options=options)
        stages = {stage.name: stage for stage in pipeline.stages}
        command = stages['labels'].commands[0]
        assert ('oaa_plus' in stages) is ('--targets' in command)
        return Path(command[3]).name, '--segmentor' in str(pipeline.stages)

    assert labels() == ('oaa_plus.safetensors', True)
    (tmp_path / 'SaliencyMaps').mkdir()
    capsys.readouterr()
    assert labels() == ('attention_epoch_20.safetensors', False)
    assert 'labels_from=oaa_plus trains OAA+' in capsys.readouterr().out
    elsewhere = '--saliency-dir other --fg-threshold 0.1'
    assert (
        labels(label_options=elsewhere)[0] == 'attention_epoch_20.safetensors'
    )
    capsys.readouterr()
    for options in (
        {'labels_from': 'oaa_plus'},
        {'label_options': '--background power'},
    ):
        assert labels(**options) == ('oaa_plus.safetensors', False)
        assert not capsys.readouterr().out


@pytest.mark.slow
def test_dry_run_of_the_toy_pipeline(tmp_path, capfd):
    """The exact commands, and the doctor's findings on real files."""
    data = tmp_path / 'toy'
    make_toy_voc(data, num_train=4, num_val=2)
    config = tmp_path / 'pipeline.py'
    config.write_text(
        f'_base_ = [{str(ROOT / "configs/pipelines/oaa_plus_toy.py")!r}]\n'
        f'data = {str(data)!r}\n'
    )
    pipeline = load_pipeline(config, work_dir=tmp_path / 'work')
    assert dry_run(pipeline) == 0
    text = capfd.readouterr().out
    assert 'python -m oaa_mm train oaa_mm::toy/oaa_r18_toy.py' in text
    assert f'{tmp_path}/work/maps/oaa_plus.safetensors' in text
    assert not (tmp_path / 'work').exists()
    next(data.glob('SaliencyMaps/train*')).unlink()
    assert dry_run(pipeline) == 1
    assert 'saliency' in capfd.readouterr().out
