using Post.Sockets.Scheduling;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>The connection that an association has, none while it is interrupted, and what is known of the last one. The owner changes it.</summary>
internal sealed class CurrentConnection(Clock clock)
{
    private PostConnection? _value;
    private ConnectionFacts _lastFacts = new(PeerIdentity.Anonymous, null, null, TransportCapabilities.None, false);
    private long _connectedAt;

    /// <summary>The connection; null while there is none. From any thread.</summary>
    public PostConnection? Value => Volatile.Read(ref _value);

    /// <summary>What is known of it, or, while there is none, of the last one. From any thread.</summary>
    public ConnectionFacts Facts => Value?.Facts() ?? Volatile.Read(ref _lastFacts);

    /// <summary>The paths there are; none while there is no connection. From any thread.</summary>
    public IReadOnlyList<PostPath> Paths => Value?.GetPaths() ?? [];

    /// <summary>How long the present connection has been there.</summary>
    public long Age => clock.Now - _connectedAt;

    /// <summary>A connection takes over.</summary>
    public void Attach(PostConnection connection)
    {
        _connectedAt = clock.Now;
        Volatile.Write(ref _value, connection);
    }

    /// <summary>The connection is lost.</summary>
    public void Detach(ConnectionFacts facts)
    {
        Volatile.Write(ref _lastFacts, facts);
        Volatile.Write(ref _value, null);
    }
}
