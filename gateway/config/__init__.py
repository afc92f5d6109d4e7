"""Configuration: what users write (`models`), how it is read (`loader`), what becomes of it (`build`)."""
