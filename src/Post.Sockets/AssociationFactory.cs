using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Sockets.Associations.Lifecycle;
using Post.Sockets.Diagnostics;
using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// Makes associations and listeners on a transport (which brings the clock), and says where their logs and metrics go. One for the whole
/// program is usual, and what a container holds as a singleton. It owns nothing: dispose the transport when all is done.
/// </summary>
public sealed class AssociationFactory
{
    /// <summary>Creates a factory.</summary>
    /// <param name="transport">What carries the associations.</param>
    /// <param name="loggerFactory">Where logs go; null: nowhere.</param>
    /// <param name="meterFactory">Creates the meter; null: a meter of the process. Both are named <c>Post.Sockets</c>.</param>
    public AssociationFactory(PostTransport transport, ILoggerFactory? loggerFactory = null, IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        Transport = transport;
        LoggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
        AssociationLog = LoggerFactory.CreateLogger("Post.Sockets.Association");
        Continuations = transport.Dispatcher == TransportDispatcher.ThreadPool
            ? TaskCreationOptions.RunContinuationsAsynchronously
            : TaskCreationOptions.None;
        Metrics = PostMetrics.Create(meterFactory);
    }

    /// <summary>What carries the associations.</summary>
    public PostTransport Transport { get; }

    internal ILoggerFactory LoggerFactory { get; }

    internal ILogger AssociationLog { get; }

    /// <summary>On the thread pool, continuations of the application do not run inside our work; in virtual time they do, in order.</summary>
    internal TaskCreationOptions Continuations { get; }

    internal PostMetrics Metrics { get; }

    /// <summary>Begins an association with a remote.</summary>
    /// <param name="local">The local identity and addresses.</param>
    /// <param name="remote">The peer to reach, and what proves its identity.</param>
    /// <param name="options">The options; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// The association, ready to send. Nothing is delivered before a handler is registered or a receive waits for it, so no object is missed.
    /// </returns>
    /// <exception cref="PostException">The remote could not be reached, or did not prove its identity.</exception>
    public async ValueTask<Association> AssociateAsync(
        Local local, Remote remote, AssociationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        options = options is null ? new AssociationOptions() : options with { };
        options.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        using var activity = PostActivity.StartAssociate(remote, Transport.Name);
        try
        {
            var connection = await ConnectAsync(local, remote, options, cancellationToken).ConfigureAwait(false);
            var association = new Association(this, local, remote, options, Association.DrawId());
            try
            {
                await association.StartAsync(connection, cancellationToken).ConfigureAwait(false);
                return association;
            }
            catch (Exception)
            {
                association.Abort();
                throw;
            }
        }
        catch (TransportException exception)
        {
            PostActivity.Fail(activity, exception);
            throw ConnectionErrors.Translate(exception);
        }
    }

    /// <summary>Begins to listen.</summary>
    /// <param name="local">The local identity and the addresses to listen on.</param>
    /// <param name="options">The options; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostException">The endpoint could not be opened.</exception>
    public async ValueTask<Listener> ListenAsync(
        Local local, ListenerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(local);
        var association = options?.Association is { } given ? given with { } : new AssociationOptions();
        association.Validate();
        options = (options ?? new ListenerOptions()) with { Association = association };
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var listener = await Transport.ListenAsync(
                new TransportListenRequest
                {
                    Local = local,
                    ClientTrust = options.ClientTrust,
                    Options = association,
                },
                cancellationToken).ConfigureAwait(false);
            return new Listener(this, local, listener, options);
        }
        catch (TransportException exception)
        {
            throw ConnectionErrors.Translate(exception);
        }
    }

    /// <summary>Connects as the options say; for the first connection of an association, and for each after one that was lost.</summary>
    internal ValueTask<TransportConnection> ConnectAsync(
        Local local, Remote remote, AssociationOptions options, CancellationToken cancellationToken) => Transport.ConnectAsync(
        new TransportConnectRequest
        {
            Local = local,
            Remote = remote,
            Options = options,
        },
        cancellationToken);
}
