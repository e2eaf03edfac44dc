"""Operations on a real store and a simulator, stopped at every step."""
