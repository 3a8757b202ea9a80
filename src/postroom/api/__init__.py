"""The five dialects: each speaks one contract and decides nothing."""
