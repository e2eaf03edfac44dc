"""The steps, each numbered; a step that was released is never changed."""
