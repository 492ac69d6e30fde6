/** Who may do what on the admin side, from the least to the most: each may do what those before may. */
export const adminRoles = ["viewer", "helpdesk", "operator", "admin"] as const;
export type AdminRole = (typeof adminRoles)[number];
