/** Who may do what on the admin side, from the least to the most: each may do what those before may. */
export const roles = ["viewer", "helpdesk", "operator", "admin"] as const;
export type Role = (typeof roles)[number];
