using System.CommandLine;
using System.Text;
using FileTransfer.Reporting;
using FileTransfer.Storage.Directories;
using Post.Quic;
using Post.Sockets;

namespace FileTransfer.Commands;

/// <summary>The options that all commands have, and what they make.</summary>
internal static class CommonOptions
{
    public static readonly Option<PostEngine> Engine = new("--engine")
    {
        Description = "Which QUIC: Auto, SystemNetQuic or Managed.",
        Recursive = true,
    };

    public static readonly Option<string?> MsQuic = new("--msquic")
    {
        Description = "The full path of libmsquic, where the system does not find it.",
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "One JSON object a line, for programs.",
        Recursive = true,
    };

    public static readonly Option<bool> Quiet = new("--quiet", "-q")
    {
        Description = "Say only what went wrong.",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose", "-v")
    {
        Description = "Say also what carries the transfer: engine, paths, round trip.",
        Recursive = true,
    };

    public static void AddTo(RootCommand root)
    {
        root.Add(Engine);
        root.Add(MsQuic);
        root.Add(Json);
        root.Add(Quiet);
        root.Add(Verbose);
    }

    /// <summary>A bar where a person looks on, lines where not, JSON where asked for.</summary>
    public static IReporter CreateReporter(ParseResult parsed)
    {
        var verbosity = parsed.GetValue(Quiet) ? Verbosity.Quiet : parsed.GetValue(Verbose) ? Verbosity.Detailed : Verbosity.Normal;
        var output = WriterOn(OutputStream.OpenOutput());
        if (parsed.GetValue(Json))
        {
            return new JsonReporter(output, verbosity);
        }

        var error = WriterOn(OutputStream.OpenError());
        return Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is "dumb"
            ? new PlainReporter(output, error, verbosity)
            : new LiveReporter(output, error, verbosity);
    }

    /// <summary>Makes the transport and what stands on it.</summary>
    public static TransportHost CreateHost(ParseResult parsed)
    {
        var msQuic = parsed.GetValue(MsQuic);
        try
        {
            return new TransportHost(PostQuicTransport.Create(new PostQuicOptions
            {
                Engine = parsed.GetValue(Engine),
                MsQuicLibraryPath = msQuic is null ? null : Path.GetFullPath(msQuic),
            }));
        }
        catch (PlatformNotSupportedException exception)
        {
            throw new TransferException(
                ExitCode.LocalProblem, $"{exception.Message} Here these are the options --engine and --msquic.", exception);
        }
    }

    /// <summary>Runs a command: every failure becomes a message and a code, none a stack trace.</summary>
    public static async Task<int> RunAsync(ParseResult parsed, Func<IReporter, Task<ExitCode>> command)
    {
        var reporter = CreateReporter(parsed);
        ExitCode code;
        try
        {
            try
            {
                return (int)await command(reporter);
            }
            catch (OperationCanceledException)
            {
                return (int)ExitCode.Canceled;
            }
            catch (TransferException exception)
            {
                code = exception.Code;
                reporter.Error(exception.Message, code);
            }
            catch (PostException exception)
            {
                code = ExitCode.Interrupted;
                reporter.Error(exception.Message, code);
            }
            catch (Exception exception) when (FileFaultException.IsOne(exception))
            {
                code = ExitCode.LocalProblem;
                reporter.Error(exception.Message, code);
            }
        }
        catch (OutputClosedException)
        {
            return (int)ExitCode.OutputClosed;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            code = ExitCode.LocalProblem;
            reporter.Error($"This is a fault of post-file; please report it: {exception}", code);
        }

        return (int)code;
    }

    private static StreamWriter WriterOn(Stream stream) => new(stream, new UTF8Encoding(false)) { NewLine = "\n" };
}
