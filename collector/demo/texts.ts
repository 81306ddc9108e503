/** What the demo's applications write about: German grammar, logic, Dutch law, geography lessons. All of it written for this demo. */

export interface QuizSentence {
  readonly sentence: string;
  readonly answer: string;
  readonly wrong: readonly [string, string, string];
  readonly topic: string;
}

const quiz = (topic: string, sentence: string, answer: string, ...wrong: [string, string, string]): QuizSentence => ({
  topic,
  sentence,
  answer,
  wrong,
});

export const QUIZ_SENTENCES: readonly QuizSentence[] = [
  quiz("Präpositionen", "Sie wartet schon seit einer Stunde ___ den Bus.", "auf", "für", "an", "um"),
  quiz("Präpositionen", "Er interessiert sich sehr ___ alte Landkarten.", "für", "über", "an", "auf"),
  quiz("Präpositionen", "Wir freuen uns ___ das lange Wochenende im Harz.", "auf", "für", "mit", "nach"),
  quiz("Dativ", "Das Fahrrad gehört ___ kleinen Bruder von Jonas.", "dem", "den", "der", "des"),
  quiz("Dativ", "Nach ___ Prüfung gingen alle in den Biergarten.", "der", "die", "den", "das"),
  quiz("Akkusativ", "Hast du ___ neuen Schlüssel schon ausprobiert?", "den", "dem", "der", "des"),
  quiz("Genitiv", "Wegen ___ Gewitters fiel das Spiel aus.", "des", "dem", "das", "der"),
  quiz("Konjunktiv", "Wenn ich mehr Zeit ___, würde ich Geige lernen.", "hätte", "habe", "hatte", "haben"),
  quiz("Konjunktiv", "An deiner Stelle ___ ich noch einmal nachfragen.", "würde", "werde", "wurde", "wäre"),
  quiz("Perfekt", "Gestern ___ wir bis zum Gipfel gewandert.", "sind", "haben", "waren", "hatten"),
  quiz("Perfekt", "Das Kind ___ sein ganzes Gemüse gegessen.", "hat", "ist", "war", "wird"),
  quiz("Relativsätze", "Die Frau, ___ Auto dort steht, ist meine Ärztin.", "deren", "dessen", "der", "die"),
  quiz("Passiv", "Die Brücke ___ im nächsten Jahr erneuert.", "wird", "ist", "hat", "werde"),
  quiz("Wortstellung", "Obwohl es regnete, ___ sie ohne Schirm los.", "lief", "laufen", "gelaufen", "läuft"),
];

export const LEVELS = ["A2", "B1", "B2", "C1"] as const;
export const NAMES = ["Lena", "Mehmet", "Jonas", "Aylin", "Björn", "Sofía", "Đorđe", "Chloé", "美咲", "Ömer"] as const;

export const LOGIC_QUESTIONS: readonly (readonly [string, string])[] = [
  [
    "Alle Blumas sind Terpen. Einige Terpen sind Quolen. Folgt daraus, dass einige Blumas Quolen sind?",
    "Nein. Die Terpen, die Quolen sind, müssen keine Blumas sein.",
  ],
  [
    "Drei Schalter, eine Lampe im Nebenraum, ein einziger Gang dorthin: Wie findest du den richtigen?",
    "Einen lange an, dann aus; den zweiten an: leuchtet sie, ist es der zweite, ist sie warm, der erste, sonst der dritte.",
  ],
  ["Setze fort: 2, 6, 12, 20, 30, …", "42, denn n · (n + 1) mit n = 6."],
  ["Anna ist älter als Ben, Ben ist jünger als Cem, Cem ist jünger als Anna. Wer ist in der Mitte?", "Cem."],
  ["Ein Bauer hat 17 Schafe, alle bis auf neun laufen davon. Wie viele bleiben?", "Neun."],
  [
    "Wenn genau eine der beiden Aussagen stimmt: „B lügt“ (A), „A lügt“ (B) – wer sagt die Wahrheit?",
    "Das lässt sich nicht entscheiden: beide Fälle sind widerspruchsfrei.",
  ],
];

export const LEGAL_TERMS: readonly (readonly [string, string])[] = [
  [
    "onrechtmatige daad",
    "Een inbreuk op een recht of een doen of nalaten in strijd met een wettelijke plicht of met wat in het maatschappelijk verkeer betaamt, waarvoor de dader aansprakelijk is.",
  ],
  [
    "verjaring",
    "Het tenietgaan van een rechtsvordering, of het verkrijgen van een recht, door het verstrijken van een bij wet bepaalde tijd.",
  ],
  ["hypotheek", "Een beperkt recht op een registergoed, dat strekt tot zekerheid voor de voldoening van een geldvordering."],
  [
    "bewijslast",
    "De verplichting van een partij om de feiten te bewijzen waarop zij zich beroept, op straffe van het niet vaststaan daarvan.",
  ],
  [
    "erfdienstbaarheid",
    "Een last waarmee een onroerende zaak, het dienende erf, ten behoeve van een andere onroerende zaak, het heersende erf, is bezwaard.",
  ],
  ["wanprestatie", "Het tekortschieten in de nakoming van een verbintenis dat aan de schuldenaar kan worden toegerekend."],
  [
    "dwangsom",
    "Een door de rechter opgelegd bedrag dat verschuldigd wordt zodra een veroordeelde niet of niet tijdig aan de hoofdveroordeling voldoet.",
  ],
];

export const LESSONS = [
  "Wie ein Vulkan entsteht",
  "Der Wasserkreislauf",
  "Die Zellen einer Pflanze",
  "Leben im Mittelalter",
  "Brüche am Beispiel einer Pizza",
  "Die Planeten unseres Sonnensystems",
] as const;

/** Strings that have broken telemetry viewers before: markup, formulas, control characters, right-to-left marks, keys of Object.prototype. */
export const HOSTILE_STRINGS = [
  "<img src=x onerror=alert(1)></script><script>alert(2)</script>",
  '=HYPERLINK("http://example.invalid","click")',
  "'; DROP TABLE generation_logs; --",
  "\u202Egnp.exe\u202C and back\u0000after NUL",
  "\u001B[31mred\u001B[0m \u001B]0;title\u0007",
  "line one\r\nline two\tTab\u2028separator",
  "👩‍👩‍👧‍👦 🇩🇪 é ﷽ 𝕳𝖎",
  "{{constructor.constructor('return this')()}} #{7*7} %s%n",
] as const;
