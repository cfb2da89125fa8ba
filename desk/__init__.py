"""The operator's desk: what all pages of the admin have in common. It knows no record of the domain."""
