using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Post.Sockets.Transport;

namespace Post.Quic.Interfaces;

/// <summary>
/// The interfaces as the kernel tells of them (rtnetlink): changes of links, addresses and routes are heard within a millisecond or two, and
/// routes by which the machine would choose are asked for and not guessed.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxInterfaces : MachineInterfaces
{
    /// <summary>After a change, those that follow at once are taken together.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(20);

    private readonly Socket _changes;
    private readonly RouteSocket _queries;
    private volatile bool _isDisposed;

    private LinuxInterfaces(Socket changes, RouteSocket queries)
    {
        _changes = changes;
        _queries = queries;
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(ListenAsync);
        }
    }

    /// <summary>Null where the kernel, or what confines the process, refuses it.</summary>
    public static LinuxInterfaces? TryOpen()
    {
        if (RouteSocket.TryOpen(RouteMessages.AllGroups) is not { } changes)
        {
            return null;
        }

        if (RouteSocket.TryOpen(0) is { } queries)
        {
            return new LinuxInterfaces(changes, new RouteSocket(queries));
        }

        changes.Dispose();
        return null;
    }

    protected override InterfaceSnapshot Read()
    {
        var table = new InterfaceTable();
        _queries.Dump(RouteMessages.GetLinks, table);
        _queries.Dump(RouteMessages.GetAddresses, table);
        _queries.Dump(RouteMessages.GetRoutes, table);
        return new InterfaceSnapshot(table.ToInterfaces(), FindSource);
    }

    protected override void Dispose(bool disposing)
    {
        _isDisposed = true;
        _changes.Dispose();
        _queries.Dispose();
    }

    private IPAddress? FindSource(IPAddress remote) => _isDisposed ? null : _queries.FindSource(remote);

    private async Task ListenAsync()
    {
        byte[] buffer = new byte[64 << 10];
        while (!_isDisposed)
        {
            try
            {
                // What changed is read anew as a whole, so that nothing that was lost on the way here is missed for long.
                await _changes.ReceiveAsync(buffer.AsMemory(), SocketFlags.None).ConfigureAwait(false);
                while (_changes.Available > 0)
                {
                    _changes.Receive(buffer);
                }
            }
            catch (SocketException) when (!_isDisposed)
            {
                // Most likely ENOBUFS: more happened than the socket could hold.
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return;
            }

            Report();
            await Task.Delay(Gather).ConfigureAwait(false);
        }
    }
}
