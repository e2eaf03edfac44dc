"""The table of the idioms: an ORM object per user, as tutorials have it."""

from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "idiom_user"
    id: Mapped[str] = mapped_column(String, primary_key=True)
    address: Mapped[str | None]
    name: Mapped[str | None]
    department: Mapped[str | None]
    license: Mapped[str | None]
