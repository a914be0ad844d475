using System.Net;
using System.Net.Sockets;
using Post.Quic.Engine;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.Managed;

/// <content>The paths.</content>
internal sealed partial class ManagedConnection
{
    public override IReadOnlyList<PostPath> GetPaths() => [.. connection.GetPaths().Select(path => ManagedPaths.Translate(path))];

    public override async ValueTask MigrateAsync(IPEndPoint? localEndPoint, CancellationToken cancellationToken)
    {
        try
        {
            await connection.MigrateAsync(localEndPoint, cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException exception)
        {
            throw new TransportException(TransportErrorReason.NotSupported, exception.Message, innerException: exception);
        }
        catch (Exception exception) when (exception is QuicException or SocketException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    public override async ValueTask<PostPath> OpenPathAsync(
        IPEndPoint localEndPoint, IPEndPoint? remoteEndPoint, CancellationToken cancellationToken)
    {
        try
        {
            return ManagedPaths.Translate(await connection.OpenPathAsync(localEndPoint, remoteEndPoint, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (exception is InvalidOperationException and not ObjectDisposedException)
        {
            throw new TransportException(TransportErrorReason.NotSupported, exception.Message, innerException: exception);
        }
        catch (Exception exception) when (exception is QuicException or SocketException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    public override async ValueTask ClosePathAsync(long pathId, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ClosePathAsync(NumberOf(pathId), cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is QuicException or ObjectDisposedException)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    public override void SetPathStatus(long pathId, TransportPathStatus status)
    {
        try
        {
            connection.SetPathStatus(NumberOf(pathId), status == TransportPathStatus.Backup ? QuicPathStatus.Backup : QuicPathStatus.Available);
        }
        catch (QuicException exception) when (exception.QuicError == QuicError.PathNotFound)
        {
            // It went meanwhile.
        }
        catch (QuicException exception)
        {
            throw ManagedQuicErrors.Translate(exception);
        }
    }

    /// <summary>The seam names a pair of addresses, and the engine the path that goes over it.</summary>
    private long NumberOf(long id) =>
        connection.GetPaths().FirstOrDefault(path => path.Id == id)?.PathId
        ?? throw new TransportException(TransportErrorReason.PathNotFound, $"There is no path {id} any more.");
}
