"""Models that are not the base (matting, lettering, captioning, upscaling, safety), each behind one small protocol."""
