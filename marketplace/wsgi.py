"""The WSGI entry point: `granian --interface wsgi marketplace.wsgi:app`."""

from marketplace.app import create_app
from marketplace.config import Settings
from marketplace.web import logs

settings = Settings.from_env()
logs.configure(settings.log_level)
app = create_app(settings)
