"""The made-up people's names, places and work. Nobody real is meant."""

from typing import NamedTuple
from unicodedata import normalize


class Name(NamedTuple):
    """A part of a name as it is written, and as it stands in an address."""

    written: str
    mailed: str


class Department(NamedTuple):
    """Where people work: their titles, and who pays for them."""

    name: str
    titles: tuple[str, ...]
    cost_center: str


class Office(NamedTuple):
    """Where people sit."""

    name: str
    city: str
    state: str
    country: str
    location: str


_SPELLED = {ord(letter): spelled for letter, spelled in (("ł", "l"), ("ø", "o"), ("ß", "ss"), ("đ", "d"), ("æ", "ae"))}


def mailed(written: str) -> str:
    """The name in the letters of an address: `Zoë` is `zoe`, `Łuczak` is `luczak`."""
    plain = written.lower().translate(_SPELLED)
    ascii_only = normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return "".join(letter for letter in ascii_only if letter.isalnum())


def _names(text: str) -> tuple[Name, ...]:
    return tuple(Name(written, mailed(written)) for written in text.split())


FIRST = _names("""
    Abena Adele Aiko Alan Alba Amara Amir Anders Anika Anouk Arjun Asha Astrid Ayşe Beatriz Bela Benoît Birgit Boris
    Bruno Camille Carla Carmen Cato Cecilia Chidi Clara Daan Dalia Damir Dario Deepa Dimitri Dora Edgar Efua Eike
    Elena Elif Emil Emre Enzo Erika Esra Eszter Fabio Farah Felix Femi Fiona Flora Frida Gabor Gareth Gina Giulia
    Goran Greta Gustav Hana Harriet Hassan Hedda Heidi Hiro Hugo Ibrahim Ida Imani Ingrid Iris Isabel Ivan Jamal
    Janek Jasmin Jelena Jens Joana Jonas José Juana Jun Kaito Karim Katja Kofi Lars Layla Leandro Lea Lidia Linnea
    Livia Lorenzo Luca Lucía Magnus Malik Mara Marek Marisol Mateo Mei Mila Milan Mina Nadia Naomi Nele Nia Nils
    Noor Olga Omar Oskar Pablo Paula Pavel Petra Pia Priya Quentin Radek Rafael Rania Renata Rosa Ruben Sakura Samir
    Sanna Selma Sigrid Silvia Simon Sofia Søren Stefan Tamar Tarek Teresa Theo Tomás Ulla Uma Valeria Vera Viktor
    Wanda Wei Yara Yusuf Zainab Zeno Zoë
""")
LAST = _names("""
    Abara Adeyemi Aldana Almeida Amundsen Andrade Arslan Asante Bakker Barros Basara Bauer Beltrán Benali Bergström
    Bianchi Björk Blanchet Boateng Borg Brandt Brkić Brodie Bruun Cabrera Calloway Caruso Castell Chaudhry Conti
    Corrigan Costa Dahl Danso Delacroix Demir Devane Dragić Dubois Eklund Elmasry Engel Eriksen Esposito Faber Farkas
    Ferrante Fiala Fontaine Forsberg Fujita Gallardo Garrick Gessner Giordano Goswami Graff Grimaldi Gupta Haddad
    Hagen Halloran Hammar Harada Heller Hidalgo Holloway Horák Huang Ibarra Ilves Ishida Ivanek Jansen Jovanović
    Kaplan Karlsen Kaur Keita Kessler Khoury Kimura Klein Kovač Kruger Kuznik Lacroix Laine Lambert Larsen Leclerc
    Lindqvist Lombardi Lowell Łuczak Lund Macleod Malone Marchetti Marek Matos Mbeki Mendes Mercier Mistry Moreau
    Mraz Nakano Nassar Navarro Nazari Nguyen Nordin Novak Nyberg Oduya Okafor Okoye Olsen Orlando Osei Ostrowski
    Paradis Pereira Petrov Pinto Popa Quist Ramires Rao Rasmussen Reyes Ricci Rocha Rossi Rybar Saito Salonen
    Santoro Sato Schaefer Sedlak Serrano Sharma Silva Sjöberg Skov Soares Sokol Steiner Stoica Strand Suarez Tanaka
    Teller Thiam Toth Tran Ueda Vance Varga Vermeer Vidal Vogel Wagner Weiss Wolff Yamada Yilmaz Zeman Zhou Zubiri
""")
DEPARTMENTS = (
    Department("Engineering", ("Engineer", "Senior Engineer", "Test Engineer", "Architect"), "CC-1100"),
    Department("Sales", ("Account Executive", "Sales Manager", "Presales Consultant"), "CC-1200"),
    Department("Customer Care", ("Care Agent", "Team Lead", "Trainer"), "CC-1300"),
    Department("Operations", ("Operator", "Planner", "Shift Lead"), "CC-1400"),
    Department("Finance", ("Accountant", "Controller", "Analyst"), "CC-1500"),
    Department("Marketing", ("Editor", "Campaign Manager", "Designer"), "CC-1600"),
    Department("Human Resources", ("Recruiter", "HR Partner"), "CC-1700"),
    Department("Legal", ("Counsel", "Paralegal"), "CC-1800"),
    Department("IT", ("Administrator", "Support Analyst"), "CC-1900"),
)
OFFICES = (
    Office("12/1.04", "Rotterdam", "Zuid-Holland", "Netherlands", "NL"),
    Office("3/2.11", "Bergen", "Vestland", "Norway", "NO"),
    Office("B2/117", "Porto", "Norte", "Portugal", "PT"),
    Office("5/0.20", "Leipzig", "Sachsen", "Germany", "DE"),
    Office("18/1103", "Columbus", "OH", "United States", "US"),
)
TEAMS = (
    "Invoices", "Orders", "Support", "Careers", "Press", "Facilities", "Returns", "Helpdesk", "Purchasing", "Payroll",
    "Events", "Partners", "Quality", "Dispatch", "Warranty", "Surveys",
)  # fmt: skip
PARTNERS = ("fabrikam.example", "northwind.example", "adatum.example", "tailspin.example")
