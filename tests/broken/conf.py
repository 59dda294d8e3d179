extensions = ["myst_parser", "cutaway", "cutaway.math", "cutaway.permalinks", "cutaway.dev.reference"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
cutaway_sources = {"mixer": ["../foreign/src/mixer"]}
cutaway_runs = "../foreign/runs.py"
html_math_renderer = "mathml"
suppress_warnings = ["toc.not_included"]
