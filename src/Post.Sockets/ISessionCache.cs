namespace Post.Sockets;

/// <summary>
/// Stores what transports need to resume sessions with a Remote. The bytes are secret: a holder of them can resume in our name. Implementations
/// are thread-safe. An exception from one is logged and costs a full handshake, but no connection.
/// </summary>
public interface ISessionCache
{
    /// <summary>Stores a session; the oldest sessions of the same key give way.</summary>
    /// <param name="key">Stands for the Remote, the identity and the transport; opaque.</param>
    /// <param name="session">The transport's state; opaque. Copied.</param>
    /// <param name="expiresAt">When it expires.</param>
    void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt);

    /// <summary>Removes and returns a session, the newest first: each is used once, so that observers cannot link connections.</summary>
    /// <param name="key">The key under which it was stored.</param>
    /// <param name="session">The state.</param>
    /// <returns>False when there is none.</returns>
    bool TryTake(string key, out ReadOnlyMemory<byte> session);

    /// <summary>Forgets all sessions of a key, for example because the Remote refused them.</summary>
    /// <param name="key">The key.</param>
    void Remove(string key);
}
