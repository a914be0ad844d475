using Post.Sockets;

namespace Post.Quic;

/// <summary>
/// Serves the associations of a hosted listener: one instance, in a service scope of its own, for each association.
/// </summary>
public interface IPostHandler
{
    /// <summary>
    /// Accepts or refuses an association before anything of it is delivered: refuses it with <see cref="Accept.Refuse"/>, or registers handlers for its
    /// events. An exception refuses it too. The default implementation accepts it.
    /// </summary>
    /// <param name="accept">The association and its peer.</param>
    ValueTask AcceptAsync(Accept accept) => default;

    /// <summary>
    /// Serves the association. It is closed in order when this returns, and at once when this throws; to serve by registered handlers
    /// only, await <see cref="Association.Completion"/>.
    /// </summary>
    /// <param name="association">The association.</param>
    /// <param name="stopping">Canceled when the host shuts down: finish what is under way, and return.</param>
    Task RunAsync(Association association, CancellationToken stopping);
}
