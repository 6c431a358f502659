"""Writing captions: of a picture (describe), of a sentence (expand), of a picture and a wish (edit).

The base's text tower has no context (its layers change nothing), so this is a second small one: the library's
``Qwen3ForCausalLM``, which sees a picture through the frozen drawing network (looking.py). Tried and measured, not
shipped: docs/log.md says what came of it.
"""
