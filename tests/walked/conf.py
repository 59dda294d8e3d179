extensions = ["cutaway", "myst_parser"]
myst_enable_extensions = ["colon_fence"]
cutaway_sources = {name: [f"src/{name}"] for name in ("whole", "nameless", "fused", "choosing", "large")}
exclude_patterns = ["src"]
suppress_warnings = ["cutaway.runs"]  # that torch can't export one of them is what is tested
