using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Endpoint;

/// <summary>
/// Who gets a datagram: by a connection id that we made, by the one that a client chose for its first packets, or by
/// the stateless reset token at its end. Thread-safe: connections change their ids while packets arrive.
/// </summary>
/// <typeparam name="T">What stands for a connection.</typeparam>
internal sealed class ConnectionRouter<T> : IDisposable
    where T : class
{
    private readonly ConcurrentDictionary<ConnectionId, T> _issued = new(IssuedConnectionIdComparer.Instance);
    private readonly ConcurrentDictionary<ConnectionId, T> _chosenByClients;
    private readonly Dictionary<NetworkAddress, List<(StatelessResetToken Token, T Connection)>> _resetTokens = [];
    private readonly StatelessResetKey _resetKey;
    private readonly RandomSource _random;

    /// <param name="random">Makes the ids and the key of the hash.</param>
    /// <param name="resetKey">Makes the reset tokens; owned by this router from now on.</param>
    public ConnectionRouter(RandomSource random, StatelessResetKey resetKey)
    {
        _random = random;
        _resetKey = resetKey;
        _chosenByClients = new ConcurrentDictionary<ConnectionId, T>(new ConnectionIdComparer(random));
    }

    /// <summary>
    /// Bytes in an id of ours. Eight random ones cannot be guessed by who does not see them, and keep the header of
    /// each packet short.
    /// </summary>
    public static int IdLength => 8;

    /// <summary>Ids that lead to a connection now.</summary>
    public int Count => _issued.Count + _chosenByClients.Count;

    /// <summary>Every connection that an id leads to.</summary>
    public HashSet<T> Connections => [.. _issued.Values, .. _chosenByClients.Values];

    public bool TryFind(scoped ReadOnlySpan<byte> destination, [NotNullWhen(true)] out T? connection)
    {
        if (destination.Length > ConnectionId.MaxLength)
        {
            connection = null;
            return false;
        }

        var id = new ConnectionId(destination);
        return (destination.Length == IdLength && _issued.TryGetValue(id, out connection))
            || _chosenByClients.TryGetValue(id, out connection);
    }

    /// <summary>A fresh id that leads to the connection from now on, and the token that goes with it.</summary>
    public ConnectionId Issue(T connection, out StatelessResetToken token)
    {
        Span<byte> bytes = stackalloc byte[IdLength];
        ConnectionId id;
        do
        {
            _random.Fill(bytes);
            id = new ConnectionId(bytes);
        }
        while (!_issued.TryAdd(id, connection));

        token = TokenOf(id);
        return id;
    }

    /// <summary>An id for a Retry packet: it leads nowhere until the client comes back with it.</summary>
    public ConnectionId Unrouted()
    {
        Span<byte> bytes = stackalloc byte[IdLength];
        _random.Fill(bytes);
        return new ConnectionId(bytes);
    }

    public void Retire(in ConnectionId id) => _issued.TryRemove(id, out _);

    /// <summary>Routes the id that a client chose; false where another connection has it already.</summary>
    public bool TryAddChosen(in ConnectionId id, T connection) => _chosenByClients.TryAdd(id, connection);

    public void RemoveChosen(in ConnectionId id) => _chosenByClients.TryRemove(id, out _);

    /// <summary>The token of an id of ours, whether we still know the id or not (RFC 9000 section 10.3.2).</summary>
    public StatelessResetToken TokenOf(in ConnectionId id)
    {
        Span<byte> bytes = stackalloc byte[StatelessResetToken.Length];
        _resetKey.WriteToken(id, bytes);
        return new StatelessResetToken(bytes);
    }

    public void AddResetToken(in NetworkAddress remote, in StatelessResetToken token, T connection)
    {
        lock (_resetTokens)
        {
            if (!_resetTokens.TryGetValue(remote, out List<(StatelessResetToken, T)>? tokens))
            {
                _resetTokens.Add(remote, tokens = []);
            }

            // A connection holds a bounded number of the peer's ids; many connections to one peer come from us.
            tokens.Add((token, connection));
        }
    }

    public void RemoveResetToken(in NetworkAddress remote, in StatelessResetToken token)
    {
        lock (_resetTokens)
        {
            if (!_resetTokens.TryGetValue(remote, out List<(StatelessResetToken Token, T Connection)>? tokens))
            {
                return;
            }

            for (int i = 0; i < tokens.Count; i++)
            {
                if (tokens[i].Token == token)
                {
                    tokens.RemoveAt(i);
                    break;
                }
            }

            if (tokens.Count == 0)
            {
                _resetTokens.Remove(remote);
            }
        }
    }

    /// <summary>
    /// The connection that a stateless reset from this address means (RFC 9000 section 10.3.1): its last 16 bytes are
    /// compared with each token of the address, in constant time.
    /// </summary>
    public bool TryFindByResetToken(ReadOnlySpan<byte> datagram, in NetworkAddress remote, [NotNullWhen(true)] out T? connection)
    {
        connection = null;
        if (datagram.Length < Limits.MinStatelessReset)
        {
            return false;
        }

        ReadOnlySpan<byte> end = datagram[^StatelessResetToken.Length..];
        lock (_resetTokens)
        {
            if (!_resetTokens.TryGetValue(remote, out List<(StatelessResetToken Token, T Connection)>? tokens))
            {
                return false;
            }

            foreach ((StatelessResetToken token, T owner) in tokens)
            {
                if (token.Matches(end))
                {
                    connection = owner;
                }
            }
        }

        return connection is not null;
    }

    public void Dispose() => _resetKey.Dispose();
}
