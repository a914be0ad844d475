using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Post.Sockets.Associations;
using Post.Sockets.Diagnostics;
using Post.Sockets.Transport;

namespace Post.Sockets;

/// <summary>
/// What associations are made on: a transport (which brings the clock), and where logs and metrics go. One for the whole
/// program is usual, and what a container holds as a singleton. It owns nothing: dispose the transport when all is done.
/// </summary>
public sealed class PostHost
{
    /// <summary>Creates a host.</summary>
    /// <param name="transport">What carries the associations.</param>
    /// <param name="loggerFactory">Where logs go; null: nowhere.</param>
    /// <param name="meterFactory">Who makes the meter; null: a meter of our own. Both are named <c>Post.Sockets</c>.</param>
    public PostHost(PostTransport transport, ILoggerFactory? loggerFactory = null, IMeterFactory? meterFactory = null)
    {
        ArgumentNullException.ThrowIfNull(transport);
        Transport = transport;
        LoggerFactory = loggerFactory ?? NullLoggerFactory.Instance;
        Instruments = meterFactory is null ? PostInstruments.Shared : new PostInstruments(meterFactory.Create(PostInstruments.MeterName));
    }

    /// <summary>What carries the associations.</summary>
    public PostTransport Transport { get; }

    internal ILoggerFactory LoggerFactory { get; }

    internal PostInstruments Instruments { get; }

    /// <summary>Associates with a remote.</summary>
    /// <param name="local">Who we are.</param>
    /// <param name="remote">Whom to reach, and what proves that it is them.</param>
    /// <param name="options">Bounds and habits; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>
    /// The association, ready to send. Nothing is delivered before a handler is registered or somebody waits for it, so no object is missed.
    /// </returns>
    /// <exception cref="PostException">The remote could not be reached, or did not prove its identity.</exception>
    public async ValueTask<Association> AssociateAsync(
        Local local, Remote remote, AssociationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(remote);
        options ??= AssociationOptions.Default;
        options.Validate();
        using var activity = PostActivity.StartAssociate(remote, Transport.Name);
        try
        {
            var connection = await Transport.ConnectAsync(
                new TransportConnectRequest
                {
                    Local = local,
                    Remote = remote,
                    Limits = options.TransportLimits,
                    HandshakeTimeout = options.HandshakeTimeout,
                    IdleTimeout = options.IdleTimeout,
                    KeepAliveInterval = options.KeepAliveInterval,
                    AllowEarlyData = options.AllowEarlyData,
                },
                cancellationToken).ConfigureAwait(false);
            return await StartAsync(connection, local, remote, options, cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException exception)
        {
            PostActivity.Fail(activity, exception);
            throw Lifecycle.Translate(exception);
        }
    }

    /// <summary>Listens.</summary>
    /// <param name="local">Who we are, and where to listen.</param>
    /// <param name="options">Bounds and habits; null: the defaults.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="PostException">The endpoint could not be opened.</exception>
    public async ValueTask<Listener> ListenAsync(
        Local local, ListenerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(local);
        options ??= ListenerOptions.Default;
        options.Association.Validate();
        try
        {
            var listener = await Transport.ListenAsync(
                new TransportListenRequest
                {
                    Local = local,
                    ClientTrust = options.ClientTrust,
                    Limits = options.Association.TransportLimits,
                    HandshakeTimeout = options.Association.HandshakeTimeout,
                    IdleTimeout = options.Association.IdleTimeout,
                    KeepAliveInterval = options.Association.KeepAliveInterval,
                    AllowEarlyData = options.Association.AllowEarlyData,
                },
                cancellationToken).ConfigureAwait(false);
            return new Listener(this, local, listener, options);
        }
        catch (TransportException exception)
        {
            throw Lifecycle.Translate(exception);
        }
    }

    internal async ValueTask<Association> StartAsync(
        TransportConnection connection, Local local, Remote? remote, AssociationOptions options, CancellationToken cancellationToken)
    {
        var association = new Association(this, connection, local, remote, options);
        try
        {
            await association.StartAsync(cancellationToken).ConfigureAwait(false);
            return association;
        }
        catch (Exception)
        {
            association.Abort();
            throw;
        }
    }
}
