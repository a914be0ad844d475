using System.Diagnostics;
using System.Text;

namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>A running foreign program and what it has said.</summary>
internal sealed class PeerProcess : IAsyncDisposable
{
    private const int LinesToShow = 120;

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _said = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _openPipes = 2;

    private PeerProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Note(line.Data);
        process.ErrorDataReceived += (_, line) => Note(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The last lines, for the message of a failure.</summary>
    public string Output
    {
        get
        {
            lock (_gate)
            {
                int from = Math.Max(0, _lines.Count - LinesToShow);
                var text = new StringBuilder();
                text.AppendLine($"{Path.GetFileName(_process.StartInfo.FileName)} {string.Join(' ', _process.StartInfo.ArgumentList)}");
                text.AppendLine($"({_lines.Count} lines; {(_process.HasExited ? $"exit code {_process.ExitCode}" : "running")})");
                return text.AppendJoin('\n', _lines.Skip(from)).ToString();
            }
        }
    }

    public static PeerProcess Start(string program, string workingDirectory, params IEnumerable<string> arguments) =>
        new(new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = workingDirectory,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        });

    /// <summary>The first line with the text in it, now or later.</summary>
    public async Task<string> WaitForLineAsync(string text, CancellationToken cancellationToken)
    {
        for (int next = 0; ;)
        {
            Task said;
            bool ended;
            lock (_gate)
            {
                for (; next < _lines.Count; next++)
                {
                    if (_lines[next].Contains(text, StringComparison.Ordinal))
                    {
                        return _lines[next];
                    }
                }

                said = _said.Task;
                ended = _openPipes == 0;
            }

            Assert.IsFalse(ended, $"The peer ended without saying \"{text}\".");
            await said.WaitAsync(cancellationToken);
        }
    }

    public bool HasSaid(string text)
    {
        lock (_gate)
        {
            return _lines.Exists(line => line.Contains(text, StringComparison.Ordinal));
        }
    }

    /// <summary>Until it has ended by itself, and well.</summary>
    public async Task WaitForSuccessAsync(CancellationToken cancellationToken)
    {
        await _process.WaitForExitAsync(cancellationToken);
        Assert.AreEqual(0, _process.ExitCode, "The peer ended with this exit code.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Note(string? line)
    {
        lock (_gate)
        {
            if (line is null)
            {
                _openPipes--;
            }
            else
            {
                _lines.Add(line);
            }

            _said.TrySetResult();
            _said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
