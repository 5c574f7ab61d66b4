"""The keeper's portrait: an old man in a yellow raincoat, his lighthouse behind him."""

from drawing import coast
from drawing.sheet import Paint, Sheet, box, down, ellipse, line, linear, radial, shape

WIDTH, HEIGHT = 1600, 900
HORIZON = 560.0
COAT, COAT_DARK, COAT_DEEP, COAT_LIGHT = "#f2b632", "#d4881f", "#a8611b", "#ffd463"
SKIN, SKIN_DARK = "#e2a982", "#b97652"
BEARD, BEARD_SHADE = "#f3eee4", "#c5c8c4"
INK = "#27303a"


def portrait() -> Sheet:
    sheet = coast.sky(WIDTH, HEIGHT, HORIZON)
    coast.sea(sheet, HORIZON, HEIGHT)
    coast.headland(sheet, 330, 640, 190)
    lamp = coast.lighthouse(sheet, 372, 456, 330)
    coast.beam(sheet, lamp, 1350, 130, 3)
    coast.beam(sheet, lamp, 700, 70, 183)
    coast.halo(sheet, lamp, 300)
    _coat(sheet)
    _head(sheet)
    return sheet


def _coat(sheet: Sheet) -> None:
    cloth = linear((760, 560), (1500, 900), (0, COAT_LIGHT), (0.35, COAT), (0.75, COAT_DARK), (1, COAT_DEEP))
    body = shape(
        "M 690 900 C 700 760 735 668 850 616 C 930 580 980 566 1090 566 C 1200 566 1250 580 1330 616"
        " C 1445 668 1480 760 1492 900"
    )
    sheet.fill(body.moved(10, 6), "#0f2029", cover=0.35, soft=14)
    sheet.fill(body, cloth)
    # Sleeves part from the body in soft folds.
    for path, colour, cover in (
        ("M 824 900 C 826 830 842 770 866 728 C 852 790 850 850 854 900", COAT_DEEP, 0.6),
        ("M 1362 900 C 1358 830 1342 770 1318 728 C 1332 790 1334 850 1330 900", COAT_DEEP, 0.7),
        ("M 740 900 C 742 820 760 740 800 690 C 780 760 772 830 776 900", COAT_LIGHT, 0.45),
        ("M 930 640 C 916 720 914 800 926 900 L 950 900 C 936 800 934 720 944 650", COAT_DARK, 0.5),
        ("M 1240 640 C 1262 720 1268 800 1262 900 L 1230 900 C 1242 800 1240 720 1226 650", COAT_DEEP, 0.4),
    ):
        sheet.fill(shape(path), colour, cover=cover, soft=5, inside=body)
    # The flap over the buttons.
    flap = shape("M 1060 640 C 1052 730 1052 820 1056 900 L 1136 900 C 1134 820 1130 730 1126 640")
    sheet.fill(flap.moved(6, 0), COAT_DEEP, cover=0.5, soft=5)
    sheet.fill(flap, linear((1050, 0), (1140, 0), (0, COAT_LIGHT), (0.3, COAT), (1, COAT_DARK)))
    for y in (776, 866):
        sheet.fill(ellipse(1096, y + 3, 15), COAT_DEEP, cover=0.6, soft=2)
        sheet.fill(ellipse(1094, y, 14), radial(1089, y - 5, 22, (0, "#4a5663"), (1, INK)))
        sheet.fill(ellipse(1089, y - 5, 3.5), "#93a0a8")
    # A knitted collar shows in the neck, and the coat's own stands around it.
    knit = shape("M 985 560 C 1000 620 1050 650 1094 650 C 1138 650 1188 620 1203 560")
    sheet.fill(knit, down(540, 650, (0, "#34506a"), (1, "#20374d")))
    for side in (-1, 1):
        collar = shape("M 972 508 C 940 540 928 590 938 640 C 990 664 1044 690 1088 742 C 1080 672 1030 610 972 508")
        if side == 1:
            collar = collar.scaled(-1, (1094, 0), 1)
        sheet.fill(collar.moved(2, 8), COAT_DEEP, cover=0.55, soft=7)
        left, right = (COAT_LIGHT, COAT) if side == -1 else (COAT_DARK, COAT_DEEP)
        sheet.fill(
            collar, linear((930 if side == -1 else 1100, 0), (1090 if side == -1 else 1260, 0), (0, left), (1, right))
        )
    for path in ("M 772 720 C 790 690 812 668 838 652", "M 1412 720 C 1394 690 1372 668 1346 652"):
        sheet.fill(line(path, 4), COAT_DEEP, cover=0.25)


def _head(sheet: Sheet) -> None:
    # The hat's back brim falls over the neck.
    back = shape("M 952 330 C 900 420 900 500 946 556 C 1040 584 1150 584 1244 556 C 1288 500 1288 420 1236 330")
    sheet.fill(back, linear((910, 0), (1280, 0), (0, COAT_DARK), (0.5, COAT_DEEP), (1, "#8a4b17")))
    face = shape(
        "M 990 300 C 980 370 984 440 1000 486 C 1022 540 1060 566 1094 566 C 1128 566 1168 540 1188 486"
        " C 1204 440 1208 370 1198 300"
    )
    sheet.fill(face, linear((985, 0), (1205, 0), (0, "#efc09a"), (0.45, SKIN), (1, SKIN_DARK)))
    sheet.fill(box(960, 290, 1230, 372), down(318, 372, (0, "#6b3a26", 0.75), (1, "#6b3a26", 0.0)), inside=face)
    for x in (1022, 1160):
        sheet.fill(ellipse(x, 446, 30, 22), radial(x, 446, 30, (0, "#d3644a", 0.55), (1, "#d3644a", 0.0), flat=0.75))
    # Eyes, narrowed by wind.
    for x in (1044, 1136):
        sheet.fill(ellipse(x, 405, 25, 17), SKIN_DARK, cover=0.45, soft=4)
        white = shape(f"M {x - 19} 407 Q {x} 391 {x + 19} 407 Q {x} 418 {x - 19} 407")
        sheet.fill(white, "#f6efe2")
        sheet.fill(ellipse(x - 3, 405, 8.5), "#35576b", inside=white)
        sheet.fill(ellipse(x - 3, 405, 4.5), "#15212a", inside=white)
        sheet.fill(ellipse(x - 5.5, 402, 2), "#ffffff")
        sheet.fill(line(f"M {x - 20} 407 Q {x} 389 {x + 20} 407", 3.5), "#5d3524")
        sheet.fill(line(f"M {x - 13} 421 Q {x} 428 {x + 13} 421", 2), SKIN_DARK, cover=0.8)
    for path in ("M 1008 408 L 996 402", "M 1008 414 L 995 415", "M 1178 408 L 1190 402", "M 1178 414 L 1191 415"):
        sheet.fill(line(path, 2.2), "#9a5d40", cover=0.7)
    for path in (
        "M 1014 384 C 1028 366 1056 364 1074 380 C 1078 390 1068 394 1058 390 C 1042 384 1028 386 1014 384",
        "M 1166 384 C 1152 366 1124 364 1106 380 C 1102 390 1112 394 1122 390 C 1138 384 1152 386 1166 384",
    ):
        sheet.fill(shape(path), BEARD)
    # Beard, moustache, nose.
    beard = shape(
        "M 990 410 C 972 470 968 540 992 590 C 1014 640 1054 676 1090 690 C 1128 676 1172 640 1196 590"
        " C 1218 540 1216 470 1198 410 C 1192 452 1172 470 1150 470 C 1128 474 1112 478 1094 478"
        " C 1076 478 1060 474 1038 470 C 1016 470 996 452 990 410"
    )
    sheet.fill(beard.moved(4, 12), "#6b3a16", cover=0.4, soft=9)
    sheet.fill(beard, linear((980, 430), (1200, 660), (0, "#ffffff"), (0.5, BEARD), (1, "#b9bdbb")))
    for path in (
        "M 1010 500 C 1012 560 1034 610 1068 646",
        "M 1040 520 C 1046 570 1062 616 1084 650",
        "M 1094 540 C 1094 590 1094 620 1092 660",
        "M 1146 520 C 1142 570 1126 616 1104 650",
        "M 1178 500 C 1176 560 1154 610 1120 646",
    ):
        sheet.fill(line(path, 3), BEARD_SHADE, cover=0.75)
    mouth = shape("M 1062 500 Q 1094 514 1126 500 Q 1094 526 1062 500")
    sheet.fill(mouth, "#8d4636")
    for side in (-1, 1):
        half = shape("M 1094 468 C 1072 462 1040 470 1014 502 C 1040 510 1076 510 1094 492")
        half = half if side == -1 else half.scaled(-1, (1094, 0), 1)
        sheet.fill(half.moved(0, 5), "#8b8f8e", cover=0.45, soft=4)
        sheet.fill(half, down(462, 512, (0, "#ffffff"), (1, "#dcdcd5")))
    nose = shape(
        "M 1084 396 C 1080 424 1066 440 1066 458 C 1068 476 1084 478 1092 474 C 1104 478 1120 472 1118 456 C 1112 440 1100 424 1100 396"
    )
    sheet.fill(nose, linear((1066, 0), (1120, 0), (0, "#f1bd97"), (0.5, "#dd9670"), (1, "#b56a49")))
    sheet.fill(ellipse(1082, 452, 6, 8), "#fbd9bd", cover=0.7, soft=2)
    # The hat.
    crown = shape("M 962 322 C 958 220 1010 152 1094 150 C 1178 152 1230 220 1226 322")
    sheet.fill(crown, linear((960, 170), (1230, 330), (0, COAT_LIGHT), (0.4, COAT), (0.8, COAT_DARK), (1, COAT_DEEP)))
    for path in ("M 1094 150 C 1052 190 1036 250 1034 318", "M 1094 150 C 1140 190 1154 250 1156 318"):
        sheet.fill(line(path, 4), COAT_DEEP, cover=0.35)
    sheet.fill(
        shape("M 990 300 C 990 230 1020 184 1070 168 C 1030 206 1014 250 1014 302"), COAT_LIGHT, cover=0.5, soft=4
    )
    brim = shape(
        "M 908 372 C 928 312 1000 284 1094 284 C 1188 284 1260 312 1280 372 C 1232 344 1160 334 1094 334"
        " C 1028 334 956 344 908 372"
    )
    sheet.fill(brim.moved(0, 14), "#4a2412", cover=0.45, soft=8, inside=face)
    sheet.fill(brim, _brim())
    sheet.fill(line("M 916 364 C 962 338 1028 328 1094 328 C 1160 328 1226 338 1272 364", 3), COAT_DEEP, cover=0.5)


def _brim() -> Paint:
    return linear((910, 290), (1280, 380), (0, COAT_LIGHT), (0.45, COAT), (1, COAT_DARK))
