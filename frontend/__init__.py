"""Sources of the style sheets, scripts, icons and fonts, and the builder that turns them into static files."""
