"""Scripts of the repository: size checks, generated pages, derived data. Not in the package."""
