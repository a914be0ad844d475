namespace Post.Sockets.Protocol;

/// <summary>An unfinished object of the peer, and how many bytes of its payload, from the beginning, are here.</summary>
internal readonly record struct HeldObject(long Id, long Position);
