extensions = ["cutaway"]
cutaway_sources = {"mixer": ["src/mixer"]}
exclude_patterns = ["src"]
