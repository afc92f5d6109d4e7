"""The application: composes providers and routers behind OpenAI's API."""
