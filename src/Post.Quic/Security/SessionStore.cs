using Microsoft.Extensions.Logging;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Security;

/// <summary>
/// The sessions with one remote in the cache of a Local. The cache is the application's code: it is called from no thread that
/// holds a lock of an engine or that an engine cannot spare, and what it throws costs a full handshake and a line in the log.
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
    public static SessionStore? Of(string engine, TransportConnectRequest request, ILogger logger) =>
        request.Local.Sessions is { } cache && SessionKeys.Of(engine, request) is { } key ? new SessionStore(cache, key, logger) : null;

    /// <summary>Takes the newest session out.</summary>
    /// <param name="session">What the engine kept, as far as the cache can be believed.</param>
    public bool TryTake(out ReadOnlyMemory<byte> session)
    {
        try
        {
            return _cache.TryTake(_key, out session);
        }
        catch (Exception exception)
        {
            CacheFailed(exception);
            session = default;
            return false;
        }
    }

    /// <summary>Keeps a session, soon.</summary>
    public void Keep(ReadOnlyMemory<byte> session, DateTimeOffset expiresAt) => Later(() => _cache.Put(_key, session, expiresAt));

    /// <summary>Forgets all sessions with the remote, soon.</summary>
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

    [LoggerMessage(10, LogLevel.Warning, "The session cache of a Local failed; connections start with a full handshake")]
    private partial void CacheFailed(Exception exception);
}
