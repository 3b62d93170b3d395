"""A local stand-in for the Gemini API: its REST protocol, and drafts composed from the facts it is sent.

It knows no language and judges nothing. What it writes is put together from the facts of the prompt by fixed
sentences, so it invents nothing; `modelVersion` starts with `sandbox-`, so that the product can label it.
"""
