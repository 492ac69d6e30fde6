/** Every English word that a person reads. No blame, no terms of the trade, and nothing that is not certain. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "to get your mail back" : "to keep your mail";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)} apps` : phrase`${apps[0]}`;
      return {
        subject: phrase`Remove ${what} from your ${name} ${goal}`,
        why: several
          ? phrase`${organisation} does not allow certain apps on phones that read company mail. ${what} of that kind are on this ${name}.`
          : phrase`${organisation} does not allow ${what} on phones that read company mail. It is on this ${name}.`,
        steps: removal(matter, setting),
        briefly: phrase`Remove ${list(apps)}. Taking ${several ? "the icons" : "the icon"} off the screen is not enough.`,
      };
    }
    case "os":
      return {
        subject: phrase`Update your ${name} ${goal}`,
        why: phrase`${organisation} asks for ${matter.minimum} or newer on phones that read company mail. This ${name} has an older version.`,
        steps: [phrase`${updating(setting)} Install the newest version.`, charging(name)],
        briefly: phrase`Update to ${matter.minimum} or newer. ${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`Install the security update on your ${name} ${goal}`,
        why: phrase`${organisation} asks for the Android security update of ${matter.minimum} or newer on phones that read company mail. This ${name} has an older one.`,
        steps: [
          phrase`${updating(setting)} Install what is offered, again and again until nothing more is.`,
          charging(name),
        ],
        briefly: phrase`Install the security update of ${matter.minimum} or newer. ${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`Your ${name} needs a change ${goal}`,
        why: phrase`${organisation} shows mail on phones that are set up the way it asks. Something on this ${name} is not set up that way yet.`,
        steps: [
          phrase`Open ${theManager(setting)}. It shows what to change.`,
          phrase`Make the change, then let the app check the ${name} again.`,
        ],
        briefly: phrase`Open ${theManager(setting)}: it shows what else has to change.`,
      };
    case "switched-off":
      return {
        subject: phrase`Mail is switched off on your ${name}`,
        why:
          matter.why === undefined
            ? phrase`The IT team of ${organisation} has switched off mail on this ${name}.`
            : phrase`The IT team of ${organisation} has switched off mail on this ${name}. The reason it gave: “${matter.why}”.`,
        steps: [phrase`Ask the ${organisation} help desk what is needed. ${giveId}`],
        briefly: phrase`Ask the help desk why the IT team has switched off mail on this ${name}.`,
        after: phrase`As soon as the IT team has switched mail on again, it comes back by itself within seconds.`,
      };
    case "not-enrolled":
      return {
        subject: phrase`Set up your ${name} with ${organisation} to ${phase === "held" ? "get" : "keep"} your mail`,
        why: phrase`${organisation} shows mail on phones that are set up for work. This ${name} is not, as far as we can see.`,
        steps: [
          phrase`Set up this ${name} for work with your ${organisation} account. The help desk knows which app to use for it.`,
          phrase`Go through to the last step and keep the ${name} online.`,
          phrase`Is it set up already? Then your mail app may go by a name of its own. ${giveId}`,
        ],
        briefly: phrase`Set up this ${name} for work. The help desk knows which app to use for it.`,
        after: phrase`Your mail comes back by itself within seconds after ${organisation} knows this ${name}.`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`Your ${name} is registered to someone else`,
        why: phrase`${organisation} shows your mail on phones that are registered to you. Our records name someone else for this ${name}. That can happen when a phone changes hands.`,
        steps: [
          phrase`Is it yours now? Set it up again for work, with your own ${organisation} account.`,
          phrase`Or ask the help desk to put it in your name. ${giveId}`,
        ],
        briefly: phrase`Ask the help desk to put this ${name} in your name.`,
        after: phrase`Your mail comes back by itself within seconds after the ${name} is registered to you.`,
      };
    case "id-contested":
      return {
        subject:
          phase === "held"
            ? phrase`Your mail is held back: two phones have the name of your ${name}`
            : phrase`Two phones have the name of your ${name}`,
        why: phrase`You have done nothing wrong. Two phones of different people are on record under the identifier by which this ${name} fetches mail, so ${organisation} cannot tell whose it is.`,
        steps: [phrase`Tell the ${organisation} help desk that this ${name} is yours. ${giveId}`],
        briefly: phrase`Tell the help desk that this ${name} is yours: two phones are on record under its identifier.`,
        after: phrase`Your mail comes back by itself within seconds after the IT team has said whose the ${name} is.`,
      };
    case "stale":
      return {
        subject: phrase`Your ${name} needs to check in ${goal}`,
        why: phrase`${organisation} shows mail on phones that have checked in during the last ${spanOf(matter.withinHours)}. ${checkedIn(matter.reportedAt, name)}.`,
        steps: [
          phrase`Connect this ${name} to Wi-Fi or mobile data.`,
          phrase`Open ${theManager(setting)} and wait until it has finished checking.`,
          phrase`If nothing has changed after ten minutes, restart the ${name} and open the app once more.`,
        ],
        briefly: phrase`Open ${theManager(setting)} and wait until it has checked in.`,
      };
    case "uninspectable":
      return {
        subject: phrase`Your ${name} needs to be checked ${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`The way this ${name} is set up, nobody can tell whether it has what ${organisation} asks for.`
            : phrase`${organisation} does not allow ${list(matter.apps)} on phones that read company mail. The way this ${name} is set up, nobody can tell whether ${matter.apps.length === 1 ? "it is" : "they are"} there.`,
        steps: [
          phrase`Open ${theManager(setting)} and finish whatever it asks for.`,
          phrase`If it asks for nothing, ask the help desk. ${giveId}`,
        ],
        briefly: phrase`Open ${theManager(setting)} and finish whatever it asks for: not all of this ${name} could be checked.`,
      };
    case "compromised":
      return {
        subject: phrase`The help desk needs to look at your ${name}`,
        why: phrase`The built-in protection of this ${name} is not as its maker ships it. ${organisation} does not show mail on such phones, because others might read it there.`,
        steps: [phrase`Show the ${name} to the ${organisation} help desk. ${giveId}`],
        briefly: phrase`Show the ${name} to the help desk: its built-in protection is not as its maker ships it.`,
        after: phrase`Your mail comes back by itself within seconds after this has been cleared up.`,
      };
    case "record-unreadable":
      return {
        subject:
          phase === "held"
            ? phrase`Your mail is held back: our record of your ${name} has a fault`
            : phrase`Our record of your ${name} has a fault`,
        why: phrase`You have done nothing wrong. A part of what ${organisation} has on record about this ${name} cannot be read, so we cannot tell whether mail may be shown here.`,
        steps: [
          phrase`Tell the help desk, and give them the details from the end of this message.`,
          manager === undefined
            ? phrase`Keep the ${name} online: its next report may put the record right.`
            : phrase`Open ${manager} and let it check the ${name}: a new report may put the record right.`,
        ],
        briefly: phrase`Tell the help desk that a part of our record of this ${name} cannot be read.`,
        after: phrase`Your mail comes back by itself within seconds after the record has been put right.`,
      };
    case "nothing-known":
      return {
        subject:
          phase === "held"
            ? phrase`Your mail is held back on your ${name} for now`
            : phrase`Please ask the help desk about your ${name}`,
        why: phrase`${organisation} could not find out all that it has to know about this ${name}.`,
        steps: [phrase`Ask the help desk. ${giveId}`],
        briefly: phrase`Please ask the help desk as well.`,
        after: phrase`Your mail comes back by itself within seconds after this has been cleared up.`,
      };
  }
}

const giveId = "Give them the phone ID from the end of this message.";

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`${apps[0]}` : phrase`each of these apps`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`Find ${icon}: swipe down on the Home Screen and type its name. Touch and hold the icon.`,
        phrase`Tap “Delete App”, or “Remove App” and then “Delete App”. Taking it off the Home Screen is not enough.`,
      ];
    case "android":
      return [
        phrase`Open your list of apps and touch and hold ${icon}. Tap “Uninstall”, or “App info” and then “Uninstall”.`,
        onlyInWorkProfile
          ? phrase`It was found in your work profile: look under “Work” in the list of apps.`
          : phrase`If your apps are split into “Personal” and “Work”, look in both.`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`Delete or uninstall ${icon}. Taking away its icon is not enough.`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
    case "macos":
      return "Open “Settings” > “General” > “Software Update”.";
    case "android":
      return "Open “Settings” > “System” > “Software update”; on some phones it stands right in “Settings”.";
    case "windows":
      return "Open “Settings” > “Windows Update”.";
    case "other":
    case undefined:
      return "Open “Settings” and look for “Software update”.";
  }
}

function charging(name: string): Phrase {
  return phrase`Keep the ${name} on Wi-Fi and on its charger until it has restarted. If no update is offered, ask the help desk.`;
}

function theManager({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined ? phrase`the app with which ${organisation} looks after this ${name}` : [manager];
}

function report({ manager, name, organisation }: Setting): Phrase {
  return manager === undefined
    ? phrase`Keep the ${name} online: it reports the change by itself. Opening the app with which ${organisation} looks after it makes that faster.`
    : phrase`Open ${manager} and let it check the ${name}, so that the change is reported at once.`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined
    ? `This ${name} has not checked in lately`
    : `This ${name} last checked in on ${reportedAt}`;
}

function spanOf(hours: number): string {
  if (hours >= 48 && hours % 24 === 0) return `${String(hours / 24)} days`;
  return hours === 1 ? "hour" : `${String(hours)} hours`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : [", ", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named} and ${String(more)} more`;
}

const page: PageWords = {
  title: "Please use your phone’s mail app",
  why: (organisation) =>
    phrase`This address shows ${organisation} mail on computers. It looks as if you have opened it in the browser of a phone or tablet, so your mail is not shown here.`,
  stepsHeading: "Where your mail is",
  steps: (organisation) => [
    phrase`On this phone: open the mail app that is set up for ${organisation}. If it shows one message with something to do first, follow the steps in it.`,
    phrase`On a computer: open this same address in the browser there.`,
  ],
  mistakenHeading: "Is this a computer?",
  mistaken: phrase`Some browsers on computers can pass for a phone, for instance with an add-on or in a developer view. Switch that off and load this page again.`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Questions? The ${organisation} help desk is glad to help.`
      : phrase`Questions? Please ask the ${organisation} help desk.`,
  helpLink: "Go to the help desk",
  problem: "Mail in the browser is for computers. On a phone, please use the mail app.",
};

export const en: Language = {
  tag: "en",
  sentenceGap: " ",
  dateLocale: "en-GB",
  clock: "",
  zoned: (dateAndTime, zone) => `${dateAndTime} (${zone.join(", ")})`,
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "Android phone",
    macos: "Mac",
    windows: "Windows device",
    other: "device",
    unknown: "phone",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held")
      return phrase`So your mail is held back here for now, and this message stands in for your inbox.`;
    return hasDeadline
      ? phrase`You still get your mail here. After the deadline it is held back until this is done.`
      : phrase`You still get your mail here.`;
  },
  report,
  list,
  about: {
    heading: "What this is about",
    os: (minimum) => phrase`${minimum} or newer`,
    patch: (minimum) => phrase`Security update of ${minimum} or newer`,
    setUp: phrase`Setting up for work`,
    checkIn: phrase`Checking in`,
    helpDesk: phrase`A look by the help desk`,
    now: (version) => phrase`On this phone: ${version}`,
    shownAs: (name) => phrase`On this phone it is called ${name}`,
    at: (moment) => phrase`Found: ${moment}`,
    due: (moment) => phrase`Deadline: until ${moment}`,
    dueNow: phrase`Deadline: now`,
    rule: (title) => phrase`Rule: ${title}`,
    more: (count) => phrase`and ${String(count)} more`,
    unnamed: "An app without a name",
  },
  stepsHeading: { held: "How to get your mail back", warned: "How to keep your mail" },
  afterReport: {
    held: phrase`Your mail comes back by itself within seconds after the phone has reported. You do not have to tell anyone.`,
    warned: phrase`This message goes away by itself after the phone has reported. You do not have to tell anyone.`,
  },
  afterWarning: phrase`This message goes away by itself as soon as that is done.`,
  checkLink: "Done? Have it checked again",
  meanwhile: {
    heading: "In the meantime",
    items: {
      held: [
        phrase`Mail on your computer works as usual, in the mail program and in the browser.`,
        phrase`Nothing is lost. New mail waits for you on the server, and what you have written on this phone will be sent once your mail is back.`,
      ],
      warned: [phrase`Your mail keeps coming, on this phone and on your computer.`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`Questions? The ${organisation} help desk is glad to help:`
      : phrase`Questions? Please ask the ${organisation} help desk.`,
  details: {
    heading: "For the help desk",
    phone: "Phone",
    phoneId: "Phone ID",
    account: "Account",
    fields: "Unreadable",
    colon: ": ",
    comma: ", ",
  },
  page,
};
