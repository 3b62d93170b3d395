"""A map of the world as tiles of one size, one for each country, so that a small one is seen as well as a large one.

The places were computed once: the least total distance between tiles and the countries' main places (their time zones'
reference points in the public-domain tz database), with Europe drawn wider than it is.
"""

_ROWS = """
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. SJ
.. .. .. .. .. .. .. .. .. .. .. .. .. GL
.. .. .. .. .. .. .. .. .. .. .. .. .. .. IS .. FO .. .. NO SE .. FI
.. .. .. .. .. .. CA .. .. .. .. .. .. .. .. .. .. .. .. .. AX LV EE .. .. .. .. .. .. RU
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. IE IM NL DK CZ PL LT
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. GG GB BE DE AT SK BY
.. .. .. .. .. .. .. .. .. .. .. PM .. .. .. .. JE FR LU LI SI HU MD UA .. .. KZ
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. MC CH SM HR BA RS RO GE .. .. KG .. .. MN
.. .. .. .. .. .. .. US .. .. .. .. .. .. .. .. .. AD VA IT ME MK BG TR AM AZ TM UZ .. .. .. .. KP
.. .. .. .. .. .. .. .. .. .. .. BM .. .. PT .. GI ES DZ TN AL GR CY LB SY IQ IR TJ .. .. CN .. KR JP
.. .. .. .. .. .. .. .. BS TC PR AI SX .. .. EH MA .. .. LY MT .. EG IL JO KW BH AF NP BT
.. .. .. .. .. .. MX CU KY HT VG MF BL AG .. MR .. .. .. .. .. .. .. PS SA QA AE PK IN BD MO HK TW
.. .. .. .. .. .. GT BZ JM DO VI KN MS GP CV SN .. .. NE .. .. .. .. SD ER .. OM .. .. MM LA PH .. MP
.. UM .. .. .. .. SV HN NI AW DM VC MQ LC GM GW ML BF BJ .. TD .. .. .. DJ YE .. .. .. TH KH VN .. GU
.. .. .. .. .. .. .. CR PA CW BQ GD TT BB GN SL LR TG NG GQ CM CF .. SS ET SO .. MV LK .. MY BN PW .. FM MH
.. .. .. .. .. .. .. .. EC CO VE GY SR GF .. .. CI GH ST GA CG CD RW UG KE SC .. .. .. .. SG ID .. .. NR KI
WS TK .. .. .. .. .. .. .. PE .. .. BR .. .. .. .. .. .. AO .. .. BI MW TZ YT .. IO .. CC CX .. TL PG SB TV
AS NU PF .. .. .. .. .. .. .. BO .. .. .. .. .. SH .. .. .. .. .. ZM ZW KM MG MU .. .. .. .. .. .. .. VU WF
TO CK .. PN .. .. .. .. .. .. .. PY .. .. .. .. .. .. .. .. NA BW ZA MZ .. RE .. .. .. .. .. .. AU .. NC FJ
.. .. .. .. .. .. .. .. .. .. CL AR UY .. .. .. .. .. .. .. .. .. LS SZ .. .. .. .. .. .. .. .. .. .. .. NF
.. .. .. .. .. .. .. .. .. .. .. FK .. GS .. .. .. .. .. .. .. .. .. .. .. .. .. TF .. .. .. .. .. .. .. NZ
.. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. .. AQ BV .. .. .. .. .. .. .. .. HM
"""

#: Country -> (column, row) of its tile, from the upper left.
TILES: dict[str, tuple[int, int]] = {
    code: (column, row)
    for row, line in enumerate(_ROWS.strip().splitlines())
    for column, code in enumerate(line.split(" "))
    if code != ".."
}
COLUMNS = 1 + max(column for column, _row in TILES.values())
ROWS = 1 + max(row for _column, row in TILES.values())
