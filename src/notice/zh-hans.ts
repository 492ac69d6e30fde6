/** Every Chinese word that a person reads, in simplified characters: polite, short, without blame. */
import type { Language, Matter, PageWords, Setting, Telling } from "./language.ts";
import { phrase as joined } from "./phrase.ts";
import type { Datum, Phrase } from "./phrase.ts";

type Apps = Extract<Matter, { kind: "apps" }>;
type Steps = Telling["steps"];

/** A space between Chinese and what is written in Latin letters or digits, as the systems themselves set it. */
export function phrase(strings: TemplateStringsArray, ...values: readonly (string | Datum | Phrase)[]): Phrase {
  const written: (string | Datum)[] = [];
  for (const part of joined(strings, ...values)) {
    const before = textOf(written.at(-1) ?? "").slice(-1);
    const seam = before + textOf(part).slice(0, 1);
    if (spaced(seam) !== seam) written.push(" ");
    if (part !== "") written.push(typeof part === "string" ? spaced(part) : part);
  }
  return written;
}

export function spaced(text: string): string {
  return text.replaceAll(/(?<=\p{Script=Han})(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=\p{Script=Han})/gu, " ");
}

function textOf(part: string | Datum): string {
  return typeof part === "string" ? part : part.datum;
}

function tell(matter: Matter, setting: Setting): Telling {
  const { organisation, name, manager, phase } = setting;
  const goal = phase === "held" ? "以恢复接收邮件" : "以便继续接收邮件";
  switch (matter.kind) {
    case "apps": {
      const { apps } = matter;
      const several = apps.length > 1;
      const what = several ? phrase`${String(apps.length)}个应用` : phrase`“${apps[0]}”`;
      return {
        subject: phrase`请从您的${name}上删除${what}，${goal}`,
        why: several
          ? phrase`在接收公司邮件的手机上，${organisation}不允许使用某些应用。您的${name}上有${what}属于此类。`
          : phrase`在接收公司邮件的手机上，${organisation}不允许使用${what}。您的${name}上装有此应用。`,
        steps: removal(matter, setting),
        briefly: phrase`删除“${list(apps)}”。仅移除图标是不够的。`,
      };
    }
    case "os":
      return {
        subject: phrase`请更新您的${name}，${goal}`,
        why: phrase`在接收公司邮件的手机上，${organisation}要求使用${matter.minimum}或更高版本。您的${name}上的版本较旧。`,
        steps: [phrase`${updating(setting)}安装最新版本。`, charging(name)],
        briefly: phrase`更新到${matter.minimum}或更高版本。${updating(setting)}`,
      };
    case "patch":
      return {
        subject: phrase`请在您的${name}上安装安全更新，${goal}`,
        why: phrase`在接收公司邮件的手机上，${organisation}要求安装${matter.minimum}或之后的 Android 安全更新。您的${name}上的安全更新较旧。`,
        steps: [phrase`${updating(setting)}安装所有可用的更新，直到没有更新为止。`, charging(name)],
        briefly: phrase`安装${matter.minimum}或之后的安全更新。${updating(setting)}`,
      };
    case "reported":
      return {
        subject: phrase`您的${name}需要更改设置，${goal}`,
        why: phrase`${organisation}仅在按要求设置的手机上显示邮件。您的${name}上还有设置不符合要求。`,
        steps: [
          phrase`打开${theManager(setting)}，查看需要更改的内容。`,
          phrase`完成更改后，让该应用重新检查您的${name}。`,
        ],
        briefly: phrase`打开${theManager(setting)}，查看还需要更改的内容。`,
      };
    case "switched-off":
      return {
        subject: phrase`您的${name}上的邮件已停用`,
        why:
          matter.why === undefined
            ? phrase`${organisation}的 IT 部门已停用此${name}上的邮件。`
            : phrase`${organisation}的 IT 部门已停用此${name}上的邮件。原因：“${matter.why}”。`,
        steps: [phrase`请向${organisation}的服务台咨询。${giveId}`],
        briefly: phrase`请向服务台咨询 IT 部门停用邮件的原因。`,
        after: phrase`IT 部门重新启用邮件后，邮件会在几秒内自动恢复。`,
      };
    case "not-enrolled":
      return {
        subject: phrase`请在${organisation}设置您的${name}，${phase === "held" ? "以接收邮件" : goal}`,
        why: phrase`${organisation}仅在已设置为工作用途的手机上显示邮件。据我们所知，您的${name}尚未设置。`,
        steps: [
          phrase`使用您的${organisation}账户将此${name}设置为工作用途。服务台会告诉您使用哪个应用。`,
          phrase`完成所有步骤，并保持${name}联网。`,
          phrase`已经设置过了？您的邮件应用可能使用了另一个名称。请联系服务台。${giveId}`,
        ],
        briefly: phrase`将此${name}设置为工作用途。服务台会告诉您使用哪个应用。`,
        after: phrase`${organisation}识别您的${name}后，邮件会在几秒内自动送达。`,
      };
    case "owner-mismatch":
      return {
        subject: phrase`您的${name}登记在他人名下`,
        why: phrase`${organisation}仅在登记于您名下的手机上显示您的邮件。根据我们的记录，此${name}登记在他人名下。手机转手时可能会出现这种情况。`,
        steps: [
          phrase`现在归您使用？请用您自己的${organisation}账户重新将其设置为工作用途。`,
          phrase`或者请服务台将其登记到您的名下。${giveId}`,
        ],
        briefly: phrase`请服务台将此${name}登记到您的名下。`,
        after: phrase`${name}登记到您的名下后，邮件会在几秒内自动恢复。`,
      };
    case "id-contested":
      return {
        subject: phase === "held" ? phrase`邮件暂停接收：无法确认您的${name}` : phrase`无法确认您的${name}`,
        why: phrase`这不是您的问题。此${name}收取邮件时使用的标识下登记了两位不同人员的设备，因此${organisation}无法确定它属于谁。`,
        steps: [phrase`请告诉${organisation}的服务台此${name}是您的。${giveId}`],
        briefly: phrase`请告诉服务台此${name}是您的：它的标识下登记了两台设备。`,
        after: phrase`IT 团队确认${name}属于谁之后，邮件会在几秒内自动恢复。`,
      };
    case "stale":
      return {
        subject: phrase`您的${name}需要报告状态，${goal}`,
        why: phrase`${organisation}仅在过去${spanOf(matter.withinHours)}内报告过状态的手机上显示邮件。${checkedIn(matter.reportedAt, name)}。`,
        steps: [
          phrase`将${name}连接到无线局域网或移动网络。`,
          phrase`打开${theManager(setting)}，等待检查完成。`,
          phrase`如果十分钟后没有变化，请重新启动${name}，然后再次打开该应用。`,
        ],
        briefly: phrase`打开${theManager(setting)}，等待检查完成。`,
      };
    case "uninspectable":
      return {
        subject: phrase`您的${name}需要检查，${goal}`,
        why:
          matter.apps.length === 0
            ? phrase`按照目前的设置，无法判断您的${name}是否符合${organisation}的要求。`
            : phrase`在接收公司邮件的手机上，${organisation}不允许使用“${list(matter.apps)}”。按照目前的设置，无法判断您的${name}上是否装有${matter.apps.length === 1 ? "此应用" : "这些应用"}。`,
        steps: [
          phrase`打开${theManager(setting)}，完成其中的要求。`,
          phrase`如果没有任何要求，请联系服务台。${giveId}`,
        ],
        briefly: phrase`您的${name}未能完全检查。请打开${theManager(setting)}，完成其中的要求。`,
      };
    case "compromised":
      return {
        subject: phrase`服务台需要查看您的${name}`,
        why: phrase`您的${name}的内置保护与出厂状态不同。在这样的手机上，邮件可能被他人读取，因此${organisation}不显示邮件。`,
        steps: [phrase`请将${name}交给${organisation}的服务台查看。${giveId}`],
        briefly: phrase`请将${name}交给服务台查看：其内置保护与出厂状态不同。`,
        after: phrase`问题解决后，邮件会在几秒内自动恢复。`,
      };
    case "record-unreadable":
      return {
        subject: phase === "held" ? phrase`邮件暂停接收：您的${name}的登记信息有误` : phrase`您的${name}的登记信息有误`,
        why: phrase`这不是您的问题。${organisation}保存的关于此${name}的信息有一部分无法读取，因此无法确定是否可以在此显示邮件。`,
        steps: [
          phrase`请联系服务台，并提供此邮件末尾的信息。`,
          manager === undefined
            ? phrase`请保持${name}联网：下一次报告也许会更正信息。`
            : phrase`打开“${manager}”，检查您的${name}：新的报告也许会更正信息。`,
        ],
        briefly: phrase`请告诉服务台，此${name}的部分登记信息无法读取。`,
        after: phrase`信息更正后，邮件会在几秒内自动恢复。`,
      };
    case "nothing-known":
      return {
        subject: phase === "held" ? phrase`您的${name}上的邮件暂停接收` : phrase`请就您的${name}咨询服务台`,
        why: phrase`${organisation}未能查明关于此${name}的全部必要信息。`,
        steps: [phrase`请联系服务台。${giveId}`],
        briefly: phrase`另外请咨询服务台。`,
        after: phrase`问题解决后，邮件会在几秒内自动恢复。`,
      };
  }
}

const giveId = joined`请提供此邮件末尾的设备 ID。`;

/** The words on the buttons are those that each system shows. */
function removal({ apps, onlyInWorkProfile }: Apps, { platform }: Setting): Steps {
  const icon = apps.length === 1 ? phrase`“${apps[0]}”` : phrase`这些应用`;
  switch (platform) {
    case "ios":
    case "ipados":
      return [
        phrase`在主屏幕上向下轻扫，输入名称找到${icon}，然后按住图标。`,
        phrase`轻点“删除 App”，或者先轻点“移除 App”，再轻点“删除 App”。仅从主屏幕移除是不够的。`,
      ];
    case "android":
      return [
        phrase`打开应用列表，按住${icon}。点按“卸载”，或者先点按“应用信息”，再点按“卸载”。`,
        onlyInWorkProfile
          ? phrase`该应用位于您的工作资料中：请在应用列表的“工作”标签中查找。`
          : phrase`如果应用列表分为“个人”和“工作”，请在两处都查找。`,
      ];
    case "macos":
    case "windows":
    case "other":
    case undefined:
      return [phrase`删除或卸载${icon}。仅移除图标是不够的。`];
  }
}

function updating({ platform }: Setting): string {
  switch (platform) {
    case "ios":
    case "ipados":
      return "打开“设置”>“通用”>“软件更新”。";
    case "macos":
      return "打开“系统设置”>“通用”>“软件更新”。";
    case "android":
      return "打开“设置”>“系统”>“软件更新”；在某些手机上，它直接位于“设置”中。";
    case "windows":
      return "打开“设置”>“Windows 更新”。";
    case "other":
    case undefined:
      return "打开“设置”，查找“软件更新”。";
  }
}

function charging(name: string): Phrase {
  return phrase`请保持${name}连接无线局域网和充电器，直到重新启动完成。如果没有可用的更新，请联系服务台。`;
}

function theManager({ manager, organisation }: Setting): Phrase {
  return manager === undefined ? phrase`${organisation}的设备管理应用` : phrase`“${manager}”`;
}

function report({ manager, name }: Setting): Phrase {
  return manager === undefined
    ? phrase`请保持${name}联网：它会自动报告更改。打开设备管理应用可以加快报告。`
    : phrase`打开“${manager}”，让它检查您的${name}，以便立即报告更改。`;
}

function checkedIn(reportedAt: string | undefined, name: string): string {
  return reportedAt === undefined ? `您的${name}最近没有报告` : `您的${name}上次报告的时间是${reportedAt}`;
}

function spanOf(hours: number): string {
  return hours >= 48 && hours % 24 === 0 ? `${String(hours / 24)}天` : `${String(hours)}小时`;
}

function list(data: readonly Datum[]): Phrase {
  const shown = data.slice(0, 3);
  const named = shown.flatMap((datum, index) => (index === 0 ? [datum] : ["、", datum]));
  const more = data.length - shown.length;
  return more === 0 ? named : phrase`${named}等${String(data.length)}个应用`;
}

const page: PageWords = {
  title: "请使用手机上的邮件应用",
  why: (organisation) =>
    phrase`此地址用于在电脑上显示${organisation}的邮件。您似乎是在手机或平板电脑的浏览器中打开的，因此这里不显示您的邮件。`,
  stepsHeading: "在哪里查看邮件",
  steps: (organisation) => [
    phrase`在此设备上：打开为${organisation}设置的邮件应用。如果其中只有一封请您先完成某些操作的邮件，请按其中的步骤进行。`,
    phrase`在电脑上：在浏览器中打开同一地址。`,
  ],
  mistakenHeading: "您用的是电脑？",
  mistaken: phrase`电脑上的某些浏览器可能会被当作手机，例如因为扩展程序或开发者视图。请将其关闭，然后重新加载此页面。`,
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`有疑问？${organisation}的服务台乐意为您提供帮助。`
      : phrase`有疑问？请联系${organisation}的服务台。`,
  helpLink: "前往服务台",
  problem: "浏览器中的邮件仅供电脑使用。在手机上，请使用邮件应用。",
};

export const zhHans: Language = {
  tag: "zh-Hans",
  sentenceGap: "",
  dateLocale: "zh-Hans",
  clock: "",
  zoned: (dateAndTime, zone) => `${dateAndTime}（${zone.join("，")}）`,
  names: {
    ios: "iPhone",
    ipados: "iPad",
    android: "Android 手机",
    macos: "Mac",
    windows: "Windows 设备",
    other: "设备",
    unknown: "手机",
  },
  tell,
  consequence: ({ phase }, hasDeadline) => {
    if (phase === "held") {
      return phrase`因此，您的邮件在此设备上暂停接收，收件箱中暂时只显示此邮件。`;
    }
    return hasDeadline
      ? phrase`目前您仍可在此收到邮件。逾期后，邮件将暂停接收，直到处理完成。`
      : phrase`您仍可在此收到邮件。`;
  },
  report,
  list,
  about: {
    heading: "相关内容",
    os: (minimum) => phrase`${minimum}或更高版本`,
    patch: (minimum) => phrase`${minimum}或之后的安全更新`,
    setUp: phrase`设置为工作用途`,
    checkIn: phrase`报告设备状态`,
    helpDesk: phrase`由服务台查看`,
    now: (version) => phrase`当前：${version}`,
    shownAs: (name) => phrase`在此设备上的名称：${name}`,
    at: (moment) => phrase`发现时间：${moment}`,
    due: (moment) => phrase`期限：${moment}之前`,
    dueNow: phrase`期限：立即`,
    rule: (title) => phrase`规定：${title}`,
    more: (count) => phrase`以及另外${String(count)}项`,
    unnamed: "没有名称的应用",
  },
  stepsHeading: { held: "如何恢复邮件", warned: "如何继续接收邮件" },
  afterReport: {
    held: phrase`设备报告后，邮件会在几秒内自动恢复。您无需通知任何人。`,
    warned: phrase`设备报告后，此邮件会自动消失。您无需通知任何人。`,
  },
  afterWarning: phrase`处理完成后，此邮件会自动消失。`,
  checkLink: "已完成？在此重新检查",
  meanwhile: {
    heading: "在此期间",
    items: {
      held: [
        phrase`电脑上的邮件照常使用，包括邮件程序和浏览器。`,
        phrase`不会丢失任何内容。新邮件保存在服务器上，您在此设备上写好的邮件会在恢复后发送。`,
      ],
      warned: [phrase`邮件会照常送达此设备和您的电脑。`],
    },
  },
  ask: (organisation, helpFollows) =>
    helpFollows
      ? phrase`有疑问？${organisation}的服务台乐意为您提供帮助：`
      : phrase`有疑问？请联系${organisation}的服务台。`,
  details: {
    heading: "供服务台使用",
    phone: "设备",
    phoneId: "设备 ID",
    account: "账户",
    fields: "无法读取",
    colon: "：",
    comma: "，",
  },
  page,
};
