using Microsoft.Extensions.Logging;
using Post.Quic.Engine;
using Post.Quic.Security;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <summary>
/// The sessions with one remote in the cache of a Local. The cache is the application's code: it is called from no thread that
/// holds a lock of the engine, and what it throws costs a full handshake and a line in the log.
/// </summary>
internal sealed partial class SessionStore
{
    private readonly ISessionCache _cache;
    private readonly string _key;
    private readonly ILogger _logger;

    private SessionStore(ISessionCache cache, string key, ILogger logger)
    {
        _cache = cache;
        _key = key;
        _logger = logger;
    }

    /// <summary>Null where the Local keeps no sessions, or no session can stand for the remote's identity.</summary>
    public static SessionStore? Of(TransportConnectRequest request, ILogger logger) =>
        request.Local.Sessions is { } cache && SessionKeys.Of("managed", request) is { } key ? new SessionStore(cache, key, logger) : null;

    /// <summary>Takes the newest session out; null where there is none that can be read.</summary>
    public QuicSessionTicket? Take()
    {
        try
        {
            return _cache.TryTake(_key, out ReadOnlyMemory<byte> stored) && QuicSessionTicket.TryParse(stored.Span, out QuicSessionTicket? ticket)
                ? ticket
                : null;
        }
        catch (Exception exception)
        {
            CacheFailed(exception);
            return null;
        }
    }

    public void Keep(QuicSessionTicket ticket) => Later(() => _cache.Put(_key, ticket.ToArray(), ticket.ExpiresAt));

    public void Forget() => Later(() => _cache.Remove(_key));

    private void Later(Action use) => ThreadPool.UnsafeQueueUserWorkItem(
        static work =>
        {
            try
            {
                work.Use();
            }
            catch (Exception exception)
            {
                work.Store.CacheFailed(exception);
            }
        },
        (Store: this, Use: use),
        preferLocal: false);

    [LoggerMessage(1, LogLevel.Warning, "The session cache of a Local failed; connections start with a full handshake")]
    private partial void CacheFailed(Exception exception);
}
