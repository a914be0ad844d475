using Microsoft.Extensions.Logging;
using Post.Sockets;

namespace Post.Quic.Locals;

/// <summary>
/// Renews an identity when its files change. A certificate and its key are two files, and either may be half written when it is read:
/// what cannot be loaded as a pair leaves the old one in use, and is looked at again.
/// </summary>
internal sealed partial class IdentityWatcher : IDisposable
{
    /// <summary>Files come in several writes; after this much quiet they are read.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(500);

    /// <summary>How often they are read without a notification: some file systems send none, and some directories are replaced as a whole.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly string _name;
    private readonly PostLocalOptions _options;
    private readonly RenewableIdentity _identity;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly List<FileSystemWatcher> _watchers = [];
    private readonly ITimer _timer;
    private string? _lastFailure;
    private bool _isDisposed;

    public IdentityWatcher(string name, PostLocalOptions options, RenewableIdentity identity, TimeProvider time, ILogger logger)
    {
        _name = name;
        _options = options;
        _identity = identity;
        _logger = logger;

        // The context of the caller that first asks for the Local must not flow into the watcher.
        using (ExecutionContext.SuppressFlow())
        {
            _timer = time.CreateTimer(static state => ((IdentityWatcher)state!).Look(), this, Interval, Interval);
            foreach (string directory in new[] { options.CertificatePath, options.PrivateKeyPath }
                .OfType<string>().Select(static path => Path.GetDirectoryName(Path.GetFullPath(path))!).Distinct(StringComparer.Ordinal))
            {
                Watch(directory);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        _timer.Dispose();
        _watchers.ForEach(static watcher => watcher.Dispose());
    }

    private void Watch(string directory)
    {
        try
        {
            // All of the directory: tools write beside and rename, or swap a link that the file's own path goes through.
            var watcher = new FileSystemWatcher(directory);
            watcher.Changed += OnChanged;
            watcher.Created += OnChanged;
            watcher.Deleted += OnChanged;
            watcher.Renamed += OnChanged;
            watcher.EnableRaisingEvents = true;
            _watchers.Add(watcher);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            LogNotWatched(LocalName.Prefix(_name), directory, Interval, exception.Message);
        }
    }

    private void OnChanged(object sender, FileSystemEventArgs change)
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _timer.Change(Quiet, Interval);
            }
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            if (!IdentityFile.TryLoad(_options, out LoadedIdentity? loaded, out string? failure))
            {
                if (failure != _lastFailure)
                {
                    _lastFailure = failure;
                    LogKept(LocalName.Prefix(_name), failure);
                }

                return;
            }

            _lastFailure = null;
            if (loaded.Own.RawDataMemory.Span.SequenceEqual(_identity.Certificate.RawDataMemory.Span))
            {
                loaded.Dispose();
                return;
            }

            KeyFingerprint before = KeyFingerprint.Of(_identity.Certificate);
            _identity.Renew(loaded.Own, loaded.Issuers.Count > 0 ? loaded.Issuers : null);
            KeyFingerprint now = KeyFingerprint.Of(loaded.Own);
            LogRenewed(LocalName.Prefix(_name), loaded.Own.NotAfter.ToUniversalTime(), now);
            if (now != before)
            {
                LogOtherKey(LocalName.Prefix(_name), before, now);
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Local}the certificate was replaced; new connections show it. It is valid until {NotAfter:u}; its key is {Key}")]
    private partial void LogRenewed(string local, DateTime notAfter, KeyFingerprint key);

    [LoggerMessage(2, LogLevel.Warning, "{Local}the new certificate has another key: peers that pinned {Before} must be told of {Now}")]
    private partial void LogOtherKey(string local, KeyFingerprint before, KeyFingerprint now);

    [LoggerMessage(3, LogLevel.Warning, "{Local}the identity's files have changed and cannot be used; the old certificate stays. {Failure}")]
    private partial void LogKept(string local, string failure);

    [LoggerMessage(4, LogLevel.Information, "{Local}the directory {Directory} cannot be watched ({Reason}); its files are looked at every {Interval}")]
    private partial void LogNotWatched(string local, string directory, TimeSpan interval, string reason);
}
