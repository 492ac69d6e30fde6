/** The page about a phone in German. The names of devices are neuter there, so one sentence fits each. */
import { phrase } from "../../notice/phrase.ts";
import type { SelfServiceWords } from "./words.ts";

export const de: SelfServiceWords = {
  tag: "de",
  languageName: "Deutsch",
  chooseLanguage: "Sprache",
  whenDone: phrase`Erledigt? Dann sehen wir noch einmal nach.`,
  check: "Neu prüfen",
  checkOnceMore: "Noch einmal prüfen",
  mayAskFrom: (clock) => phrase`Ab ${clock} Uhr können Sie noch einmal prüfen lassen.`,
  checking: (name) => ({
    title: phrase`Ihr ${name} wird geprüft`,
    text: phrase`Eine neue Meldung wird angefordert.`,
  }),
  sent: (name) => phrase`Ihr ${name} wurde um eine neue Meldung gebeten.`,
  answered: (name) => ({
    title: phrase`Ihr ${name} hat geantwortet`,
    text: phrase`Die Meldung wird gerade ausgewertet.`,
  }),
  clear: (name) => ({
    title: phrase`Alles in Ordnung`,
    text: phrase`Ihre E-Mails werden nicht mehr zurückgehalten. Öffnen Sie die Mail-App auf Ihrem ${name}: Sie kommen von selbst.`,
  }),
  back: (name) => ({
    title: phrase`Ihre E-Mails sind zurück`,
    text: phrase`Ihr ${name} ruft gerade E-Mails ab. Sie können diese Seite schließen.`,
  }),
  well: (name, organisation) => ({
    title: phrase`Alles in Ordnung`,
    text: phrase`Ihr ${name} hat alles, was ${organisation} verlangt. E-Mails kommen wie gewohnt, und Sie müssen nichts tun.`,
  }),
  ends: {
    "no-source": (name) => ({
      title: phrase`Ihr ${name} meldet sich von selbst`,
      text: phrase`Von hier aus lässt es sich nicht fragen. Die nächste Meldung kommt meist im Lauf des Tages, und Ihre E-Mails folgen von selbst. Sie müssen hier nicht warten.`,
    }),
    "cannot-hurry": (name) => ({
      title: phrase`Die nächste Meldung kommt von selbst`,
      text: phrase`Die Meldung Ihres ${name}s lässt sich nicht beschleunigen. Sie kommt meist im Lauf des Tages, und Ihre E-Mails folgen von selbst. Sie müssen hier nicht warten.`,
    }),
    "source-refused": (_name, organisation) => ({
      title: phrase`Das hat nicht geklappt`,
      text: phrase`Die Prüfung konnte nicht beginnen. Das liegt nicht an Ihnen. Versuchen Sie es noch einmal, oder fragen Sie den Helpdesk von ${organisation}.`,
    }),
    busy: () => ({
      title: phrase`Es werden gerade viele Geräte geprüft`,
      text: phrase`Für ein weiteres ist im Moment kein Platz. Bitte versuchen Sie es in einigen Minuten noch einmal. Geräte melden sich auch von selbst.`,
    }),
    "no-answer": (name) => ({
      title: phrase`Ihr ${name} hat noch nicht geantwortet`,
      text: phrase`Vielleicht war es gesperrt oder offline. Entsperren Sie es, verbinden Sie es mit dem WLAN oder mit mobilen Daten, und lassen Sie noch einmal prüfen.`,
    }),
    "still-there": (name) => ({
      title: phrase`Auf Ihrem ${name} ist noch etwas zu tun`,
      text: phrase`Das Gerät hat geantwortet, und der Grund besteht noch. Gehen Sie die Schritte unten durch, und lassen Sie dann noch einmal prüfen.`,
    }),
  },
  steps: {
    asked: () => phrase`Prüfung angefordert`,
    answered: (name) => phrase`Antwort von Ihrem ${name}`,
    clear: () => phrase`Alles in Ordnung`,
    "mail-back": () => phrase`Ihre E-Mails sind zurück`,
  },
  done: "erledigt",
  progress: "Fortschritt",
  soFar: "Bisher vergangen",
  usually: (from, to) => phrase`Meist dauert das ${from} bis ${to}. Es kann auch länger dauern.`,
  seconds: (count) => (count === 1 ? "1 Sekunde" : `${String(count)} Sekunden`),
  minutes: (count) => (count === 1 ? "1 Minute" : `${String(count)} Minuten`),
  unlock: (name) => phrase`Entsperren Sie Ihr ${name} und lassen Sie diese Seite offen.`,
  keepOnline: (name) => phrase`Lassen Sie Ihr ${name} entsperrt und online.`,
  timesIn: (offset) => phrase`Uhrzeiten: ${offset}`,
  follows: phrase`Diese Seite aktualisiert sich von selbst.`,
  looksAgain: (seconds) => phrase`Diese Seite sieht alle ${String(seconds)} Sekunden noch einmal nach.`,
  reload: "Jetzt nachsehen",
  whatWasFound: "Was gefunden wurde und was zu tun ist",
  register: {
    one: (model) =>
      phrase`Ist das Ihr verwaltetes Gerät ${model}? Manche Mail-Apps geben einem Gerät einen anderen Namen, sodass wir es nicht erkennen.`,
    itIs: "Das ist mein verwaltetes Gerät",
    several: phrase`Sie haben mehr als ein verwaltetes Gerät. Deshalb erkennen wir nicht, welches das ist.`,
    askOperator: "Die IT fragen",
    needsOperator: phrase`Die IT muss erst zustimmen.`,
    waiting: phrase`Sie haben angegeben, dass das Ihr verwaltetes Gerät ist. Die IT muss zustimmen; danach kommen Ihre Mails von selbst.`,
    noPhone: phrase`Wir kennen kein verwaltetes Gerät von Ihnen, das es sein könnte. Gehen Sie die Schritte unten durch.`,
  },
  tooOld: {
    title: phrase`Dieser Link ist zu alt`,
    text: phrase`Öffnen Sie die Mail-App auf Ihrem Gerät. Ist noch etwas zu tun, steht in der Nachricht dort ein neuer Link. Gibt es keine solche Nachricht, ist alles in Ordnung.`,
  },
  noSuchPage: {
    title: phrase`Dieser Link funktioniert nicht`,
    text: phrase`Vielleicht wurde er unterwegs abgeschnitten. Öffnen Sie ihn noch einmal aus der Nachricht in der Mail-App Ihres Geräts.`,
  },
  away: {
    title: phrase`Einen Moment, bitte`,
    text: phrase`Wir können gerade nicht nachsehen. Es geht nichts verloren. Bitte versuchen Sie es in einer Minute noch einmal.`,
  },
  tooMany: {
    title: phrase`Das ging ein wenig zu schnell`,
    text: phrase`Diese Seite wurde zu oft aufgerufen. Bitte warten Sie einen Moment und laden Sie sie noch einmal.`,
  },
};
