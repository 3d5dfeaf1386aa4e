"""The independent oracle: a plain reading of ``docs/mechanics.md`` and the small worlds to try it on."""
