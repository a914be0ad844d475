namespace Post.Sockets.Testing;

/// <summary>What a resumed session stands for: the identities that were proven when it was made.</summary>
internal sealed record InMemoryTicket(PeerIdentity Server, PeerIdentity Client);
