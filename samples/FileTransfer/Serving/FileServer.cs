using System.Collections.Concurrent;
using System.Net;
using FileTransfer.Protocol;
using FileTransfer.Receiving;
using FileTransfer.Reporting;
using FileTransfer.Sources;
using Post.Sockets;

namespace FileTransfer.Serving;

/// <summary>Serves a directory to everybody who associates, until it is disposed.</summary>
internal sealed class FileServer : IAsyncDisposable
{
    private readonly Listener _listener;
    private readonly SourceTree _source;
    private readonly DestinationTree? _destination;
    private readonly IReporter _reporter;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _sessions = new();

    private FileServer(Listener listener, SourceTree source, DestinationTree? destination, IReporter reporter)
    {
        _listener = listener;
        _source = source;
        _destination = destination;
        _reporter = reporter;
        Completion = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoints[0];

    /// <summary>What clients know it by.</summary>
    public KeyFingerprint Key => _listener.Local.Key!.Value;

    /// <summary>Completes when it has ended.</summary>
    public Task Completion { get; }

    /// <summary>Begins to serve.</summary>
    /// <param name="host">What carries it.</param>
    /// <param name="local">Our identity, and where to listen.</param>
    /// <param name="directory">What is served.</param>
    /// <param name="isWritable">Whether files are taken, too.</param>
    /// <param name="reporter">Where events are told.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    public static async Task<FileServer> StartAsync(
        AssociationFactory host, Local local, string directory, bool isWritable, IReporter reporter, CancellationToken cancellationToken)
    {
        if (isWritable && File.Exists(directory))
        {
            throw new TransferException(ExitCode.Usage, "A single file is served to be read; --writable takes a directory.");
        }

        var source = SourceTree.Serve(directory);
        DestinationTree? destination = null;
        try
        {
            destination = isWritable ? new DestinationTree(directory) : null;
            var options = new ListenerOptions { Association = MessageExtensions.AssociationOptions };
            return new FileServer(await host.ListenAsync(local, options, cancellationToken), source, destination, reporter);
        }
        catch (PostException exception)
        {
            destination?.Dispose();
            source.Dispose();
            throw new TransferException(ExitCode.LocalProblem, $"The server cannot start: {exception.Message}", exception);
        }
        catch
        {
            destination?.Dispose();
            source.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _stopping.CancelAsync();
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_sessions.Keys).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _destination?.Dispose();
        _source.Dispose();
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        await foreach (var association in _listener.AcceptAllAsync())
        {
            _reporter.Log($"{association.RemoteEndPoint} associates");
            association.Register<PathsChanged>(changed =>
            {
                if (changed.Change < PostPathChange.StateChanged)
                {
                    _reporter.Log($"{changed.Path.RemoteEndPoint}: path {changed.Path.Id} {changed.Change}");
                }
            });
            var session = new ServerSession(association, _source, _destination, _reporter).RunAsync(_stopping.Token);
            _sessions[session] = true;
            _ = session.ContinueWith(ended => _sessions.TryRemove(ended, out _), TaskScheduler.Default);
        }
    }
}
