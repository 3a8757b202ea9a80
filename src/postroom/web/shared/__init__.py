"""What every page uses: the room it stands in, rendering, forms, paging."""
