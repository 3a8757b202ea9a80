"""The application a person uses: one folder per area of the menu."""
