"""Operations of the CRM dialect, one file for each group."""
