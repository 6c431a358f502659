"""LoRA files and their layouts: ours (``stored``), those of other programs (``layouts``, ``foreign``). No torch."""
