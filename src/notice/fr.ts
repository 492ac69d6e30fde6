/** Every French word that a person reads: formal, short, without blame. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase as joined } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

/** French has spaces before : ; ? ! and inside « », at which no line may break. */
function unbreakable(text: string): string {
  return text.replaceAll(/ (?=[:;?!»])|(?<=«) /g, "\u00a0");
}

export function phrase(strings: TemplateStringsArray, ...values: readonly (string | Datum | Phrase)[]): Phrase {
  return joined(strings, ...values).map((part) => (typeof part === "string" ? unbreakable(part) : part));
}

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "pour retrouver vos e-mails" : "pour continuer à recevoir vos e-mails";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)} apps` : phrase`${apps[0]}`;
      return {
        subject: phrase`Supprimez ${what} de votre ${name} ${goal}`,
        why: several
          ? phrase`${organisation} n’autorise pas certaines apps sur les appareils qui reçoivent les e-mails professionnels. ${what} de ce type se trouvent sur votre ${name}.`
          : phrase`${organisation} n’autorise pas ${what} sur les appareils qui reçoivent les e-mails professionnels. Cette app se trouve sur votre ${name}.`,
        steps: removal(matter, setting),
        briefly: phrase`Supprimez ${list(apps)}. Retirer ${several ? "les icônes" : "l’icône"} ne suffit pas.`,
      };
    }
    case "os":
      return {
        subject: phrase`Mettez à jour votre ${name} ${goal}`,
        why: phrase`Pour les e-mails professionnels sur mobile, ${organisation} demande ${matter.minimum} ou une version plus récente. Votre ${name} a une version plus ancienne.`,
        steps: [phrase`${updating(setting)} Installez la version la plus récente.`, charging(name)],
        briefly: phrase`Passez à ${matter.minimum} ou à une version plus récente. ${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`Installez la mise à jour de sécurité sur votre ${name} ${goal}`,
        why: phrase`Pour les e-mails professionnels sur mobile, ${organisation} demande la mise à jour de sécurité Android du ${matter.minimum} ou une plus récente. Votre ${name} en a une plus ancienne.`,
        steps: [
          phrase`${updating(setting)} Installez ce qui est proposé, jusqu’à ce qu’il ne reste plus rien.`,
          charging(name),
        ],
        briefly: phrase`Installez la mise à jour de sécurité du ${matter.minimum} ou une plus récente. ${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`Un réglage est à modifier sur votre ${name} ${goal}`,
        why: phrase`${organisation} affiche les e-mails sur les appareils configurés comme prévu. Un point de votre ${name} ne l’est pas encore.`,
        steps: [
          phrase`Ouvrez ${theManager(setting)}. Vous y verrez ce qu’il faut modifier.`,
          phrase`Faites la modification, puis laissez l’app vérifier à nouveau votre ${name}.`,
        ],
        briefly: phrase`Ouvrez ${theManager(setting)} : vous y verrez ce qu’il faut encore modifier.`,
      };
    case "switched-off":
      return {
        subject: phrase`Les e-mails sont désactivés sur votre ${name}`,
        why:
          matter.why === undefined
            ? phrase`Le service informatique de ${organisation} a désactivé les e-mails sur cet ${name}.`
            : phrase`Le service informatique de ${organisation} a désactivé les e-mails sur cet ${name}. Raison indiquée : « ${matter.why} ».`,
        steps: [phrase`Demandez à l’assistance de ${organisation} ce qu’il faut faire. ${giveId}`],
        briefly: phrase`Demandez à l’assistance pourquoi le service informatique a désactivé les e-mails sur cet ${name}.`,
        after: phrase`Dès que le service informatique aura réactivé les e-mails, ils reviendront d’eux-mêmes en quelques secondes.`,
      };
    case "not-enrolled":
      return {
        subject: phrase`Configurez votre ${name} avec ${organisation} ${phase === "held" ? "pour recevoir vos e-mails" : goal}`,
        why: phrase`${organisation} affiche les e-mails sur les appareils configurés pour le travail. D’après nos informations, votre ${name} ne l’est pas.`,
        steps: [
          phrase`Configurez votre ${name} pour le travail avec votre compte ${organisation}. L’assistance sait quelle app utiliser.`,
          phrase`Allez jusqu’à la dernière étape et gardez votre ${name} connecté à Internet.`,
          phrase`C’est déjà fait ? Votre app de messagerie utilise peut-être un autre nom. ${giveId}`,
        ],
        briefly: phrase`Configurez votre ${name} pour le travail. L’assistance sait quelle app utiliser.`,
        after: phrase`Vos e-mails arriveront d’eux-mêmes quelques secondes après que ${organisation} aura reconnu votre ${name}.`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`Votre ${name} est enregistré au nom d’une autre personne`,
        why: phrase`${organisation} affiche vos e-mails sur les appareils enregistrés à votre nom. Cet ${name} est enregistré au nom d’une autre personne. Cela arrive quand un appareil change de mains.`,
        steps: [
          phrase`Il est à vous maintenant ? Configurez-le à nouveau pour le travail, avec votre propre compte ${organisation}.`,
          phrase`Ou demandez à l’assistance de l’enregistrer à votre nom. ${giveId}`,
        ],
        briefly: phrase`Demandez à l’assistance d’enregistrer cet ${name} à votre nom.`,
        after: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après que l’${name} aura été enregistré à votre nom.`,
      };
    case "id-contested":
      return {
        subject:
          phase === "held"
            ? phrase`Vos e-mails sont retenus : deux appareils portent l’identifiant de votre ${name}`
            : phrase`Deux appareils portent l’identifiant de votre ${name}`,
        why: phrase`Vous n’avez rien fait de mal. Deux appareils de personnes différentes sont enregistrés sous l’identifiant avec lequel cet ${name} reçoit vos e-mails. ${organisation} ne sait donc pas à qui il est.`,
        steps: [phrase`Dites à l’assistance de ${organisation} que cet ${name} est à vous. ${giveId}`],
        briefly: phrase`Dites à l’assistance que cet ${name} est à vous : deux appareils sont enregistrés sous son identifiant.`,
        after: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après que l’équipe informatique aura indiqué à qui est l’${name}.`,
      };
    case "stale":
      return {
        subject: phrase`Votre ${name} doit se synchroniser ${goal}`,
        why: phrase`${organisation} affiche les e-mails sur les appareils qui se sont synchronisés ${spanOf(matter.withinHours)}. ${checkedIn(matter.reportedAt, name)}.`,
        steps: [
          phrase`Connectez votre ${name} au Wi-Fi ou aux données mobiles.`,
          phrase`Ouvrez ${theManager(setting)} et attendez la fin de la vérification.`,
          phrase`Si rien n’a changé après dix minutes, redémarrez votre ${name} et ouvrez encore une fois l’app.`,
        ],
        briefly: phrase`Ouvrez ${theManager(setting)} et attendez la fin de la vérification.`,
      };
    case "uninspectable":
      return {
        subject: phrase`Votre ${name} doit être vérifié ${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`Tel que votre ${name} est configuré, on ne peut pas savoir s’il répond à ce que ${organisation} demande.`
            : phrase`${organisation} n’autorise pas ${list(matter.apps)} sur les appareils qui reçoivent les e-mails professionnels. Tel que votre ${name} est configuré, on ne peut pas savoir si ${matter.apps.length === 1 ? "cette app s’y trouve" : "ces apps s’y trouvent"}.`,
        steps: [
          phrase`Ouvrez ${theManager(setting)} et faites ce qui y est demandé.`,
          phrase`Si rien n’y est demandé, contactez l’assistance. ${giveId}`,
        ],
        briefly: phrase`Ouvrez ${theManager(setting)} et faites ce qui y est demandé : votre ${name} n’a pas pu être entièrement vérifié.`,
      };
    case "compromised":
      return {
        subject: phrase`L’assistance doit examiner votre ${name}`,
        why: phrase`La protection intégrée de votre ${name} n’est pas telle que le fabricant la livre. ${organisation} n’affiche pas d’e-mails sur de tels appareils, car d’autres pourraient les y lire.`,
        steps: [phrase`Montrez votre ${name} à l’assistance de ${organisation}. ${giveId}`],
        briefly: phrase`Montrez votre ${name} à l’assistance : sa protection intégrée n’est pas telle que le fabricant la livre.`,
        after: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après que ce point aura été éclairci.`,
      };
    case "record-unreadable":
      return {
        subject:
          phase === "held"
            ? phrase`Vos e-mails sont retenus : nos données sur votre ${name} comportent une erreur`
            : phrase`Nos données sur votre ${name} comportent une erreur`,
        why: phrase`Vous n’avez rien fait de mal. Une partie des données de ${organisation} sur cet ${name} est illisible. Nous ne savons donc pas si des e-mails peuvent y être affichés.`,
        steps: [
          phrase`Prévenez l’assistance et donnez-lui les informations figurant à la fin de ce message.`,
          manager === undefined
            ? phrase`Gardez votre ${name} connecté à Internet : sa prochaine synchronisation corrigera peut-être l’erreur.`
            : phrase`Ouvrez « ${manager} » et laissez l’app vérifier votre ${name} : cela corrigera peut-être l’erreur.`,
        ],
        briefly: phrase`Dites à l’assistance qu’une partie de nos données sur cet ${name} est illisible.`,
        after: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après la correction de l’erreur.`,
      };
    case "nothing-known":
      return {
        subject:
          phase === "held"
            ? phrase`Vos e-mails sont retenus pour le moment sur votre ${name}`
            : phrase`Contactez l’assistance au sujet de votre ${name}`,
        why: phrase`${organisation} n’a pas pu savoir tout ce qu’il faut au sujet de cet ${name}.`,
        steps: [phrase`Contactez l’assistance. ${giveId}`],
        briefly: phrase`Contactez aussi l’assistance.`,
        after: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après que ce point aura été éclairci.`,
      };
  }
}

const giveId = "Donnez-lui l’identifiant de l’appareil figurant à la fin de ce message.";

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`${apps[0]}` : phrase`chacune de ces apps`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`Trouvez ${icon} : sur l’écran d’accueil, balayez vers le bas et saisissez son nom. Maintenez le doigt sur l’icône.`,
        phrase`Touchez « Supprimer l’app », encore une fois si on vous le demande, puis « Supprimer ». La retirer de l’écran d’accueil ne suffit pas.`,
      ];
    case "android":
      return [
        phrase`Ouvrez la liste des applications et appuyez longuement sur ${icon}. Appuyez sur « Désinstaller », ou sur « Infos sur l’appli » puis « Désinstaller ».`,
        onlyInWorkProfile
          ? phrase`Elle se trouve dans votre profil professionnel : cherchez parmi les applications professionnelles.`
          : phrase`Si vos applications personnelles et professionnelles sont séparées, cherchez dans les deux listes.`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`Supprimez ou désinstallez ${icon}. Retirer son icône ne suffit pas.`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
      return "Ouvrez « Réglages » > « Général » > « Mise à jour logicielle ».";
    case "macos":
      return "Ouvrez « Réglages Système » > « Général » > « Mise à jour de logiciels ».";
    case "android":
      return "Ouvrez « Paramètres » > « Système » > « Mises à jour logicielles » ; sur certains appareils, c’est directement dans « Paramètres ».";
    case "windows":
      return "Ouvrez « Paramètres » > « Windows Update ».";
    case "other":
    case undefined:
      return "Ouvrez les paramètres et cherchez « Mise à jour ».";
  }
}

function charging(name: string): Phrase {
  return phrase`Laissez votre ${name} connecté au Wi-Fi et branché jusqu’à ce qu’il ait redémarré. Si aucune mise à jour n’est proposée, contactez l’assistance.`;
}

function theManager({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined ? phrase`l’app par laquelle ${organisation} gère votre ${name}` : phrase`« ${manager} »`;
}

function report({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined
    ? phrase`Gardez votre ${name} connecté à Internet : il signalera le changement de lui-même. Pour aller plus vite, ouvrez l’app par laquelle ${organisation} le gère.`
    : phrase`Ouvrez « ${manager} » et laissez l’app vérifier votre ${name}, pour que le changement soit signalé tout de suite.`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `Votre ${name} ne s’est pas synchronisé récemment`
    : `La dernière synchronisation de votre ${name} date du ${reportedAt}`;
}

function spanOf(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `ces ${String(hours / 24)} derniers jours`;
  return hours === 1 ? "au cours de la dernière heure" : `ces ${String(hours)} dernières heures`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : [", ", datum]));
  const more = data.length - shown.length;
  if (more === 0) return named;
  return more === 1 ? phrase`${named} et 1 autre` : phrase`${named} et ${String(more)} autres`;
}

const page: PageWords = {
  title: "Utilisez l’app de messagerie de votre téléphone",
  why: (organisation) =>
    phrase`Cette adresse affiche les e-mails de ${organisation} sur les ordinateurs. Vous semblez l’avoir ouverte dans le navigateur d’un téléphone ou d’une tablette. C’est pourquoi vos e-mails ne s’affichent pas ici.`,
  stepsHeading: "Où trouver vos e-mails",
  steps: (organisation) => [
    phrase`Sur cet appareil : ouvrez l’app de messagerie configurée pour ${organisation}. Si elle n’affiche qu’un message avec quelque chose à faire, suivez les étapes indiquées.`,
    phrase`Sur un ordinateur : ouvrez cette même adresse dans le navigateur.`,
  ],
  mistakenHeading: unbreakable("Vous êtes sur un ordinateur ?"),
  mistaken: phrase`Certains navigateurs d’ordinateur se font passer pour un téléphone, par exemple avec une extension ou dans une vue pour développeurs. Désactivez cela et rechargez la page.`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Des questions ? L’assistance de ${organisation} vous aide volontiers.`
      : phrase`Des questions ? Contactez l’assistance de ${organisation}.`,
  helpLink: "Contacter l’assistance",
  problem:
    "La messagerie dans le navigateur est réservée aux ordinateurs. Sur un téléphone, utilisez l’app de messagerie.",
};

export const fr: Language = {
  tag: "fr",
  sentenceGap: " ",
  dateLocale: "fr",
  clock: "",
  zoned: (dateAndTime, zone) => `${dateAndTime} (${zone.join(", ")})`,
  // All of them masculine and with a vowel at the beginning, so that one sentence fits each.
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "appareil Android",
    macos: "ordinateur",
    windows: "appareil Windows",
    other: "appareil",
    unknown: "appareil",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held") {
      return phrase`C’est pourquoi vos e-mails sont retenus pour le moment, et ce message remplace votre boîte de réception.`;
    }
    return hasDeadline
      ? phrase`Vous recevez encore vos e-mails ici. Passé le délai, ils seront retenus jusqu’à ce que ce soit fait.`
      : phrase`Vous continuez à recevoir vos e-mails ici.`;
  },
  report,
  list,
  about: {
    heading: "De quoi il s’agit",
    os: (minimum) => phrase`${minimum} ou plus récent`,
    patch: (minimum) => phrase`Mise à jour de sécurité du ${minimum} ou plus récente`,
    setUp: phrase`Configuration pour le travail`,
    checkIn: phrase`Synchronisation de l’appareil`,
    helpDesk: phrase`Examen par l’assistance`,
    now: (version) => phrase`Sur cet appareil : ${version}`,
    shownAs: (name) => phrase`Nom sur cet appareil : ${name}`,
    at: (moment) => phrase`Constaté : ${moment}`,
    due: (moment) => phrase`Délai : jusqu’au ${moment}`,
    dueNow: phrase`Délai : dès maintenant`,
    rule: (title) => phrase`Règle : ${title}`,
    more: (count) => (count === 1 ? phrase`et 1 autre` : phrase`et ${String(count)} autres`),
    unnamed: "Une app sans nom",
  },
  stepsHeading: { held: "Comment retrouver vos e-mails", warned: "Comment continuer à recevoir vos e-mails" },
  afterReport: {
    held: phrase`Vos e-mails reviendront d’eux-mêmes quelques secondes après la synchronisation de l’appareil. Vous n’avez personne à prévenir.`,
    warned: phrase`Ce message disparaîtra de lui-même après la synchronisation de l’appareil. Vous n’avez personne à prévenir.`,
  },
  afterWarning: phrase`Ce message disparaîtra de lui-même dès que ce sera fait.`,
  checkLink: unbreakable("C’est fait ? Vérifier à nouveau"),
  meanwhile: {
    heading: "En attendant",
    items: {
      held: [
        phrase`Les e-mails fonctionnent comme d’habitude sur votre ordinateur, dans le logiciel de messagerie et dans le navigateur.`,
        phrase`Rien n’est perdu. Les nouveaux e-mails vous attendent sur le serveur, et ce que vous avez écrit sur cet appareil sera envoyé dès le retour de vos e-mails.`,
      ],
      warned: [phrase`Vos e-mails continuent d’arriver, sur cet appareil et sur votre ordinateur.`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Des questions ? L’assistance de ${organisation} vous aide volontiers :`
      : phrase`Des questions ? Contactez l’assistance de ${organisation}.`,
  details: {
    heading: "Pour l’assistance",
    phone: "Appareil",
    phoneId: "Identifiant",
    account: "Compte",
    fields: "Illisible",
    colon: unbreakable(" : "),
    comma: ", ",
  },
  page,
};
