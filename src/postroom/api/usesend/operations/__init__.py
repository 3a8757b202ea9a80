"""Operations of the useSend dialect, one file for each group."""
