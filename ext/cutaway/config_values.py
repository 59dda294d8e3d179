"""What conf.py may set: each setting with its default, its type, its meaning and an example."""

from __future__ import annotations

from typing import Any, NamedTuple


class Setting(NamedTuple):
    """One value of conf.py, as Sphinx's ``add_config_value`` takes it, and what a reader needs to know of it."""

    name: str
    default: Any
    rebuild: str  # what changing it makes outdated: "env", "html" or nothing
    type: type
    meaning: str
    example: str  # as conf.py writes it


SETTINGS = [
    Setting(
        "cutaway_sources",
        {},
        "env",
        dict,
        "package name -> folders of its source, relative to conf.py; the first that has a file wins",
        '{"mypackage": ["../src/mypackage"]}',
    ),
    Setting(
        "cutaway_runs",
        ["runs.py"],
        "env",
        list,
        "files that declare the runs, relative to conf.py; a single file may be a string",
        '["runs/training.py", "runs/sampling.py"]',
    ),
    Setting(
        "cutaway_scenes",
        "scenes",
        "env",
        str,
        "the folder of Manim scenes, relative to conf.py",
        '"clips"',
    ),
    Setting(
        "cutaway_store",
        ".cutaway",
        "",
        str,
        "the folder of the store, relative to conf.py; the environment variable CUTAWAY_STORE overrides it",
        '"../.cutaway"',
    ),
    Setting(
        "cutaway_clip_size",
        (1280, 720),
        "",
        tuple,
        "width and height of a clip, in pixels",
        "(1920, 1080)",
    ),
    Setting(
        "cutaway_clip_fps",
        30,
        "",
        int,
        "frame rate of a clip, in frames per second",
        "60",
    ),
    Setting(
        "cutaway_clip_limit_s",
        300,
        "",
        int,
        "time limit of a scene, in seconds; a scene that takes longer is stopped",
        "600",
    ),
    Setting(
        "cutaway_clip_limit_mb",
        3000,
        "",
        int,
        "memory limit of a scene, in megabytes; a scene that takes more is stopped",
        "6000",
    ),
    Setting(
        "cutaway_draft",
        False,
        "env",
        bool,
        "a quick first build: one run, only clips that are in the store, no cells; each page says so",
        "True",
    ),
    Setting(
        "cutaway_workers",
        0,
        "",
        int,
        "number of processes that draw clips; 0: one per core",
        "4",
    ),
    Setting(
        "cutaway_executor",
        "",
        "",
        str,
        "where clips are drawn: `dask://HOST:PORT`, the scheduler of a Dask cluster; empty: this machine",
        '"dask://10.0.0.7:8786"',
    ),
    Setting(
        "cutaway_shard",
        "",
        "",
        str,
        "`2/4`: draw the second of four shares of the clips, for stores that are joined later; empty: all clips",
        '"2/4"',
    ),
    Setting(
        "cutaway_permalinks",
        "",
        "",
        str,
        "the file that registers permanent ids, relative to conf.py; empty: ids are not checked",
        '"permalinks.json"',
    ),
    Setting(
        "cutaway_excerpt",
        False,
        "env",
        bool,
        "whether the pages are only some of a book's: then only the runs that they name are made, "
        "and no id counts as lost",
        "True",
    ),
    Setting(
        "cutaway_dimensions",
        {},
        "env",
        dict,
        'letters of your own: letter -> name, or ("name", "#rrggbb", "#rrggbb") with colours for light and dark pages',
        '{"N": "points", "E": ("experts", "#0b6a99", "#5cc8f5")}',
    ),
    Setting(
        "cutaway_color_scheme",
        "",
        "env",
        str,
        "`light`, `dark` or `auto` (as the reader's system): what pages are that their theme marks as neither; "
        "empty: as furo, pydata_sphinx_theme and sphinx_book_theme do, light with any other theme",
        '"auto"',
    ),
    Setting(
        "cutaway_cards",
        True,
        "",
        bool,
        "whether the part `cutaway.cards` draws cards and badges",
        "False",
    ),
    Setting(
        "cutaway_explain",
        {},
        "",
        dict,
        "short names for `python -m cutaway explain`: name -> dotted path of a function or class and, after a blank, "
        "its run; or `#ID`, a section of a Markdown page or a diagram in it, by its label or name; or program -> one "
        "of these, of which `--run PROGRAM` chooses and the first is the default",
        '{"block": "mypackage.model.Block training", "data": {"mypackage": "#loading", "other": "other.data.batch"}}',
    ),
]
