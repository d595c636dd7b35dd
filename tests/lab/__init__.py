"""A laboratory of network namespaces: a person, a border that can do evil, a home country, and the world outside."""
