namespace Post.Sockets;

/// <summary>
/// Keeps what transports need to resume sessions with a Remote quickly. The bytes are secret: whoever has them can resume in our
/// name. Implementations are thread-safe. What they throw is logged, and costs a full handshake and no connection.
/// </summary>
public interface ISessionCache
{
    /// <summary>Keeps a session; the oldest of the same key give way.</summary>
    /// <param name="key">Which Remote and identity, and which transport; opaque.</param>
    /// <param name="session">The transport's state; opaque. Copied.</param>
    /// <param name="expiresAt">When it becomes useless.</param>
    void Put(string key, ReadOnlyMemory<byte> session, DateTimeOffset expiresAt);

    /// <summary>Takes a session out, the newest first: each is used once, so that observers cannot link connections.</summary>
    /// <param name="key">The key it was put under.</param>
    /// <param name="session">The state.</param>
    /// <returns>False when there is none.</returns>
    bool TryTake(string key, out ReadOnlyMemory<byte> session);

    /// <summary>Forgets all sessions of a key, for example because the Remote refused them.</summary>
    /// <param name="key">The key.</param>
    void Remove(string key);
}
