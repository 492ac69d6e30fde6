/** Every German word that a person reads: formal, short, without blame. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "damit Ihre E-Mails zurückkommen" : "damit Sie weiter E-Mails erhalten";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)} Apps` : phrase`${apps[0]}`;
      return {
        subject: phrase`Bitte ${what} vom ${name} entfernen, ${goal}`,
        why: several
          ? phrase`${organisation} erlaubt bestimmte Apps nicht auf Geräten, auf denen Firmen-E-Mails gelesen werden. Auf Ihrem ${name} sind ${what} dieser Art.`
          : phrase`${organisation} erlaubt ${what} nicht auf Geräten, auf denen Firmen-E-Mails gelesen werden. Die App ist auf Ihrem ${name}.`,
        steps: removal(matter, setting),
        briefly: phrase`Löschen Sie ${list(apps)}. Nur ${several ? "die Symbole" : "das Symbol"} zu entfernen, genügt nicht.`,
      };
    }
    case "os":
      return {
        subject: phrase`Bitte Ihr ${name} aktualisieren, ${goal}`,
        why: phrase`Für Firmen-E-Mails auf dem Smartphone verlangt ${organisation} ${matter.minimum} oder neuer. Ihr ${name} hat eine ältere Version.`,
        steps: [phrase`${updating(setting)} Installieren Sie die neueste Version.`, charging(name)],
        briefly: phrase`Aktualisieren Sie auf ${matter.minimum} oder neuer. ${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`Bitte das Sicherheitsupdate auf Ihrem ${name} installieren, ${goal}`,
        why: phrase`Für Firmen-E-Mails auf dem Smartphone verlangt ${organisation} das Android-Sicherheitsupdate vom ${matter.minimum} oder ein neueres. Ihr ${name} hat ein älteres.`,
        steps: [
          phrase`${updating(setting)} Installieren Sie, was angeboten wird, bis nichts mehr angeboten wird.`,
          charging(name),
        ],
        briefly: phrase`Installieren Sie das Sicherheitsupdate vom ${matter.minimum} oder ein neueres. ${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`Auf Ihrem ${name} muss etwas geändert werden, ${goal}`,
        why: phrase`${organisation} zeigt E-Mails auf Geräten an, die wie vorgesehen eingerichtet sind. Etwas auf Ihrem ${name} ist noch anders eingestellt.`,
        steps: [
          phrase`Öffnen Sie ${theManager(setting)}. Dort steht, was zu ändern ist.`,
          phrase`Nehmen Sie die Änderung vor und lassen Sie das ${name} in der App noch einmal prüfen.`,
        ],
        briefly: phrase`Öffnen Sie ${theManager(setting)}: Dort steht, was sonst noch zu ändern ist.`,
      };
    case "switched-off":
      return {
        subject: phrase`E-Mails sind auf Ihrem ${name} abgeschaltet`,
        why:
          matter.why === undefined
            ? phrase`Die IT von ${organisation} hat E-Mails auf diesem ${name} abgeschaltet.`
            : phrase`Die IT von ${organisation} hat E-Mails auf diesem ${name} abgeschaltet. Als Grund hat sie angegeben: „${matter.why}“.`,
        steps: [phrase`Fragen Sie den Helpdesk von ${organisation}, was nötig ist. ${giveId}`],
        briefly: phrase`Fragen Sie den Helpdesk, warum die IT E-Mails auf diesem ${name} abgeschaltet hat.`,
        after: phrase`Sobald die IT E-Mails wieder eingeschaltet hat, kommen sie innerhalb von Sekunden von selbst zurück.`,
      };
    case "not-enrolled":
      return {
        subject: phrase`Bitte Ihr ${name} bei ${organisation} einrichten, ${phase === "held" ? "um E-Mails zu erhalten" : goal}`,
        why: phrase`${organisation} zeigt E-Mails auf Geräten an, die für die Arbeit eingerichtet sind. Soweit wir sehen, ist Ihr ${name} das nicht.`,
        steps: [
          phrase`Richten Sie das ${name} mit Ihrem Konto bei ${organisation} für die Arbeit ein. Welche App Sie dafür brauchen, weiß der Helpdesk.`,
          phrase`Gehen Sie bis zum letzten Schritt und lassen Sie das ${name} online.`,
          phrase`Ist es schon eingerichtet? Dann meldet sich Ihre Mail-App vielleicht unter eigenem Namen. ${giveId}`,
        ],
        briefly: phrase`Richten Sie das ${name} für die Arbeit ein. Welche App Sie dafür brauchen, weiß der Helpdesk.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst, sobald ${organisation} das ${name} kennt.`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`Ihr ${name} ist auf jemand anderen eingetragen`,
        why: phrase`${organisation} zeigt Ihre E-Mails auf Geräten an, die auf Sie eingetragen sind. Bei diesem ${name} steht in unseren Unterlagen jemand anderes. Das kommt vor, wenn ein Gerät den Besitzer wechselt.`,
        steps: [
          phrase`Gehört es jetzt Ihnen? Richten Sie es mit Ihrem eigenen Konto bei ${organisation} neu für die Arbeit ein.`,
          phrase`Oder bitten Sie den Helpdesk, es auf Sie einzutragen. ${giveId}`,
        ],
        briefly: phrase`Bitten Sie den Helpdesk, dieses ${name} auf Sie einzutragen.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst zurück, sobald das ${name} auf Sie eingetragen ist.`,
      };
    case "id-contested":
      return {
        subject:
          phase === "held"
            ? phrase`Ihre E-Mails werden zurückgehalten: Ihr ${name} ist nicht eindeutig erkennbar`
            : phrase`Ihr ${name} ist nicht eindeutig erkennbar`,
        why: phrase`Sie haben nichts falsch gemacht. Unter der Kennung, mit der dieses ${name} E-Mails abruft, sind zwei Geräte verschiedener Personen eingetragen. Deshalb weiß ${organisation} nicht, wem es gehört.`,
        steps: [phrase`Sagen Sie dem Helpdesk von ${organisation}, dass dieses ${name} Ihnen gehört. ${giveId}`],
        briefly: phrase`Sagen Sie dem Helpdesk, dass dieses ${name} Ihnen gehört: Unter seiner Kennung sind zwei Geräte eingetragen.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst zurück, sobald das IT-Team geklärt hat, wem das ${name} gehört.`,
      };
    case "stale":
      return {
        subject: phrase`Ihr ${name} muss sich melden, ${goal}`,
        why: phrase`${organisation} zeigt E-Mails auf Geräten an, die sich ${spanOf(matter.withinHours)} gemeldet haben. ${checkedIn(matter.reportedAt, name)}.`,
        steps: [
          phrase`Verbinden Sie das ${name} mit dem WLAN oder mit mobilen Daten.`,
          phrase`Öffnen Sie ${theManager(setting)} und warten Sie, bis die Prüfung beendet ist.`,
          phrase`Hat sich nach zehn Minuten nichts geändert, starten Sie das ${name} neu und öffnen Sie die App noch einmal.`,
        ],
        briefly: phrase`Öffnen Sie ${theManager(setting)} und warten Sie, bis sich das ${name} gemeldet hat.`,
      };
    case "uninspectable":
      return {
        subject: phrase`Ihr ${name} muss geprüft werden, ${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`So, wie Ihr ${name} eingerichtet ist, lässt sich nicht erkennen, ob es hat, was ${organisation} verlangt.`
            : phrase`${organisation} erlaubt ${list(matter.apps)} nicht auf Geräten, auf denen Firmen-E-Mails gelesen werden. So, wie Ihr ${name} eingerichtet ist, lässt sich nicht erkennen, ob ${matter.apps.length === 1 ? "diese App" : "diese Apps"} darauf ${matter.apps.length === 1 ? "ist" : "sind"}.`,
        steps: [
          phrase`Öffnen Sie ${theManager(setting)} und erledigen Sie, was dort verlangt wird.`,
          phrase`Wird dort nichts verlangt, fragen Sie den Helpdesk. ${giveId}`,
        ],
        briefly: phrase`Öffnen Sie ${theManager(setting)} und erledigen Sie, was dort verlangt wird: Ihr ${name} ließ sich nicht ganz prüfen.`,
      };
    case "compromised":
      return {
        subject: phrase`Der Helpdesk muss sich Ihr ${name} ansehen`,
        why: phrase`Der eingebaute Schutz Ihres ${genitive(name)} ist nicht so, wie ihn der Hersteller ausliefert. Auf solchen Geräten zeigt ${organisation} keine E-Mails an, weil andere sie dort mitlesen könnten.`,
        steps: [phrase`Zeigen Sie das ${name} dem Helpdesk von ${organisation}. ${giveId}`],
        briefly: phrase`Zeigen Sie das ${name} dem Helpdesk: Sein eingebauter Schutz ist nicht so, wie ihn der Hersteller ausliefert.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst zurück, sobald das geklärt ist.`,
      };
    case "record-unreadable":
      return {
        subject:
          phase === "held"
            ? phrase`Ihre E-Mails werden zurückgehalten: In unseren Daten zu Ihrem ${name} ist ein Fehler`
            : phrase`In unseren Daten zu Ihrem ${name} ist ein Fehler`,
        why: phrase`Sie haben nichts falsch gemacht. Ein Teil dessen, was ${organisation} über dieses ${name} gespeichert hat, ist nicht lesbar. Deshalb wissen wir nicht, ob hier E-Mails angezeigt werden dürfen.`,
        steps: [
          phrase`Sagen Sie dem Helpdesk Bescheid, und nennen Sie die Angaben am Ende dieser Nachricht.`,
          manager === undefined
            ? phrase`Lassen Sie das ${name} online: Vielleicht behebt seine nächste Meldung den Fehler.`
            : phrase`Öffnen Sie „${manager}“ und lassen Sie das ${name} prüfen: Vielleicht behebt eine neue Meldung den Fehler.`,
        ],
        briefly: phrase`Sagen Sie dem Helpdesk, dass ein Teil unserer Daten zu diesem ${name} nicht lesbar ist.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst zurück, sobald der Fehler behoben ist.`,
      };
    case "nothing-known":
      return {
        subject:
          phase === "held"
            ? phrase`Ihre E-Mails werden auf Ihrem ${name} vorerst zurückgehalten`
            : phrase`Bitte fragen Sie den Helpdesk wegen Ihres ${genitive(name)}`,
        why: phrase`${organisation} konnte nicht alles herausfinden, was über dieses ${name} bekannt sein muss.`,
        steps: [phrase`Fragen Sie den Helpdesk. ${giveId}`],
        briefly: phrase`Bitte fragen Sie auch den Helpdesk.`,
        after: phrase`Ihre E-Mails kommen innerhalb von Sekunden von selbst zurück, sobald das geklärt ist.`,
      };
  }
}

const giveId = "Nennen Sie die Geräte-ID am Ende dieser Nachricht.";

/** "iPhones", "Android-Geräts". */
function genitive(name: string): string {
  return `${name}s`;
}

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`${apps[0]}` : phrase`jede dieser Apps`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`Suchen Sie ${icon}: Streichen Sie auf dem Home-Bildschirm nach unten und geben Sie den Namen ein. Halten Sie den Finger auf dem Symbol.`,
        phrase`Tippen Sie auf „App löschen“ oder auf „App entfernen“ und dann „App löschen“. Sie nur vom Home-Bildschirm zu entfernen, genügt nicht.`,
      ];
    case "android":
      return [
        phrase`Öffnen Sie die Liste Ihrer Apps und halten Sie ${icon} gedrückt. Tippen Sie auf „Deinstallieren“ oder auf „App-Info“ und dann „Deinstallieren“.`,
        onlyInWorkProfile
          ? phrase`Gefunden wurde sie in Ihrem Arbeitsprofil: Sehen Sie in der Liste unter „Geschäftlich“ nach.`
          : phrase`Sind Ihre Apps in „Privat“ und „Geschäftlich“ geteilt, sehen Sie in beiden nach.`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`Löschen oder deinstallieren Sie ${icon}. Nur das Symbol zu entfernen, genügt nicht.`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
      return "Öffnen Sie „Einstellungen“ > „Allgemein“ > „Softwareupdate“.";
    case "macos":
      return "Öffnen Sie „Systemeinstellungen“ > „Allgemein“ > „Softwareupdate“.";
    case "android":
      return "Öffnen Sie „Einstellungen“ > „System“ > „Softwareupdates“; auf manchen Geräten steht es gleich unter „Einstellungen“.";
    case "windows":
      return "Öffnen Sie „Einstellungen“ > „Windows Update“.";
    case "other":
    case undefined:
      return "Öffnen Sie „Einstellungen“ und suchen Sie nach „Softwareupdate“.";
  }
}

function charging(name: string): Phrase {
  return phrase`Lassen Sie das ${name} im WLAN und am Ladegerät, bis es neu gestartet ist. Wird kein Update angeboten, fragen Sie den Helpdesk.`;
}

function theManager({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined ? phrase`die App, mit der ${organisation} das ${name} verwaltet` : phrase`„${manager}“`;
}

function report({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined
    ? phrase`Lassen Sie das ${name} online: Es meldet die Änderung von selbst. Schneller geht es, wenn Sie die App öffnen, mit der ${organisation} es verwaltet.`
    : phrase`Öffnen Sie „${manager}“ und lassen Sie das ${name} prüfen, damit die Änderung sofort gemeldet wird.`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `Ihr ${name} hat sich länger nicht gemeldet`
    : `Ihr ${name} hat sich zuletzt am ${reportedAt} gemeldet`;
}

function spanOf(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `in den letzten ${String(hours / 24)} Tagen`;
  return hours === 1 ? "in der letzten Stunde" : `in den letzten ${String(hours)} Stunden`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : [", ", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named} und ${String(more)} weitere`;
}

const page: PageWords = {
  title: "Bitte nutzen Sie die Mail-App Ihres Smartphones",
  why: (organisation) =>
    phrase`Diese Adresse zeigt die E-Mails von ${organisation} auf Computern an. Anscheinend haben Sie sie im Browser eines Smartphones oder Tablets geöffnet. Deshalb werden Ihre E-Mails hier nicht angezeigt.`,
  stepsHeading: "Wo Sie Ihre E-Mails finden",
  steps: (organisation) => [
    phrase`Auf diesem Gerät: Öffnen Sie die Mail-App, die für ${organisation} eingerichtet ist. Steht dort nur eine Nachricht, in der Sie etwas erledigen sollen, folgen Sie bitte ihren Schritten.`,
    phrase`Auf einem Computer: Öffnen Sie dort diese Adresse im Browser.`,
  ],
  mistakenHeading: "Ist das hier ein Computer?",
  mistaken: phrase`Manche Browser auf Computern geben sich als Smartphone aus, etwa durch eine Erweiterung oder in einer Entwickleransicht. Schalten Sie das aus und laden Sie diese Seite neu.`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Fragen? Der Helpdesk von ${organisation} hilft Ihnen gern.`
      : phrase`Fragen? Bitte wenden Sie sich an den Helpdesk von ${organisation}.`,
  helpLink: "Zum Helpdesk",
  problem: "E-Mails im Browser sind für Computer. Bitte nutzen Sie auf dem Smartphone die Mail-App.",
};

export const de: Language = {
  tag: "de",
  sentenceGap: " ",
  dateLocale: "de",
  clock: " Uhr",
  zoned: (dateAndTime, zone) => `${dateAndTime} (${zone.join(", ")})`,
  // All of them neuter, so that one sentence fits each.
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "Android-Gerät",
    macos: "Gerät",
    windows: "Windows-Gerät",
    other: "Gerät",
    unknown: "Smartphone",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held") {
      return phrase`Deshalb werden Ihre E-Mails hier vorerst zurückgehalten, und statt Ihres Posteingangs sehen Sie diese Nachricht.`;
    }
    return hasDeadline
      ? phrase`Noch erhalten Sie hier Ihre E-Mails. Nach Ablauf der Frist werden sie zurückgehalten, bis das erledigt ist.`
      : phrase`Sie erhalten hier weiterhin Ihre E-Mails.`;
  },
  report,
  list,
  about: {
    heading: "Worum es geht",
    os: (minimum) => phrase`${minimum} oder neuer`,
    patch: (minimum) => phrase`Sicherheitsupdate vom ${minimum} oder neuer`,
    setUp: phrase`Einrichtung für die Arbeit`,
    checkIn: phrase`Meldung des Geräts`,
    helpDesk: phrase`Termin beim Helpdesk`,
    now: (version) => phrase`Auf diesem Gerät: ${version}`,
    shownAs: (name) => phrase`Auf diesem Gerät heißt sie ${name}`,
    at: (moment) => phrase`Gefunden: ${moment}`,
    due: (moment) => phrase`Frist: bis ${moment}`,
    dueNow: phrase`Frist: sofort`,
    rule: (title) => phrase`Regel: ${title}`,
    more: (count) => phrase`und ${String(count)} weitere`,
    unnamed: "Eine App ohne Namen",
  },
  stepsHeading: { held: "So kommen Ihre E-Mails zurück", warned: "So erhalten Sie weiter E-Mails" },
  afterReport: {
    held: phrase`Ihre E-Mails kommen von selbst zurück, Sekunden nachdem sich das Gerät gemeldet hat. Sie müssen niemandem Bescheid geben.`,
    warned: phrase`Diese Nachricht verschwindet von selbst, nachdem sich das Gerät gemeldet hat. Sie müssen niemandem Bescheid geben.`,
  },
  afterWarning: phrase`Diese Nachricht verschwindet von selbst, sobald das erledigt ist.`,
  checkLink: "Erledigt? Neu prüfen lassen",
  meanwhile: {
    heading: "In der Zwischenzeit",
    items: {
      held: [
        phrase`E-Mails auf Ihrem Computer funktionieren wie gewohnt, im Mailprogramm und im Browser.`,
        phrase`Es geht nichts verloren. Neue E-Mails warten auf dem Server, und was Sie auf diesem Gerät geschrieben haben, wird gesendet, sobald Ihre E-Mails zurück sind.`,
      ],
      warned: [phrase`Ihre E-Mails kommen weiter an, auf diesem Gerät und auf Ihrem Computer.`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Fragen? Der Helpdesk von ${organisation} hilft Ihnen gern:`
      : phrase`Fragen? Bitte wenden Sie sich an den Helpdesk von ${organisation}.`,
  details: {
    heading: "Für den Helpdesk",
    phone: "Gerät",
    phoneId: "Geräte-ID",
    account: "Konto",
    fields: "Nicht lesbar",
    colon: ": ",
    comma: ", ",
  },
  page,
};
